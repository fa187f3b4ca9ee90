//! The matrix products and the attention of Whisper's encoder by each of cubek's routines, in half precision on CUDA.
//!
//! What `src/cube/matmul.rs` takes for each shape was chosen by this. Run with
//! `cargo bench -p whisper-kernels --features cuda --bench gpu_strategies`.

use std::time::Instant;

use burn::backend::ops::FloatTensorOps;
use burn::backend::{Backend, cubecl::dtype_to_elem_type};
use burn::tensor::{DType, Distribution, FloatDType, Shape};
use burn_cubecl::cubecl;
use burn_cubecl::ops::permute;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, CubeDevice};
use cubek::attention::forward::definition::{
    AccumulatorPrecision, AttentionGlobalTypes, AttentionOptions,
};
use cubek::attention::forward::launch as attention_launch;
use cubek::attention::forward::routines::blackbox_accelerated::BlackboxAcceleratedStrategy;
use cubek::matmul::definition::{MatmulElems, MatmulGlobalElems};
use cubek::matmul::launch::launch_ref;
use cubek::matmul::multi_level::Strategy as Levels;
use cubek::matmul::multi_level::components::tile::TileMatmulKind;
use cubek::matmul::multi_level::routines::batch::double_buffering::DoubleBufferingArgs;
use cubek::matmul::multi_level::routines::batch::ordered_double_buffering::OrderedSelectionArgs;
use cubek::matmul::multi_level::routines::batch::simple::SimpleArgs;
use cubek::matmul::routine::BlueprintStrategy::Inferred;
use cubek::matmul::strategy::Strategy;
use cubek::std::InputBinding;

fn routines() -> Vec<(String, Strategy)> {
    let mut all: Vec<(String, Levels)> = Vec::new();
    for multi_rows in [false, true] {
        let of = |tile_matmul| SimpleArgs {
            multi_rows,
            tile_matmul,
        };
        let rows = if multi_rows { " rows" } else { "" };
        all.push((
            format!("simple cmma{rows}"),
            Levels::SimpleCyclicCmma(Inferred(of(TileMatmulKind::Cmma))),
        ));
        all.push((
            format!("simple mma{rows}"),
            Levels::SimpleCyclicMma(Inferred(of(TileMatmulKind::Mma))),
        ));
        all.push((
            format!("tma cmma{rows}"),
            Levels::SimpleTmaCmma(Inferred(of(TileMatmulKind::Cmma))),
        ));
        all.push((
            format!("tma mma{rows}"),
            Levels::SimpleTmaMma(Inferred(of(TileMatmulKind::Mma))),
        ));
    }
    for row_count in [4, 8] {
        for (name, tile_matmul) in [("cmma", TileMatmulKind::Cmma), ("mma", TileMatmulKind::Mma)] {
            let args = OrderedSelectionArgs {
                partition_k: Some(2),
                row_count: Some(row_count),
                rows_per_plane: Some(2),
                tile_matmul,
            };
            let strategy = match name {
                "cmma" => Levels::OrderedDoubleCmma(Inferred(args)),
                _ => Levels::OrderedDoubleMma(Inferred(args)),
            };
            all.push((format!("ordered {name} {row_count}"), strategy));
        }
    }
    for specialized in [false, true] {
        let of = |tile_matmul| DoubleBufferingArgs {
            specialized,
            tile_matmul,
        };
        let kind = if specialized { " specialized" } else { "" };
        all.push((
            format!("double cmma{kind}"),
            Levels::DoubleCyclicCmma(Inferred(of(TileMatmulKind::Cmma))),
        ));
        all.push((
            format!("double mma{kind}"),
            Levels::DoubleCyclicMma(Inferred(of(TileMatmulKind::Mma))),
        ));
        all.push((
            format!("double async mma{kind}"),
            Levels::DoubleAsyncCyclicMma(Inferred(of(TileMatmulKind::Mma))),
        ));
    }
    all.push((
        "specialized mma".into(),
        Levels::SpecializedCyclicMma(Inferred(().into())),
    ));
    all.push((
        "specialized tma cmma".into(),
        Levels::SpecializedTmaCmma(Inferred(().into())),
    ));
    all.push((
        "specialized tma mma".into(),
        Levels::SpecializedTmaMma(Inferred(().into())),
    ));
    let levels = all
        .into_iter()
        .map(|(name, strategy)| (name, strategy.into()));
    levels.collect()
}

fn random(device: &CubeDevice, shape: [usize; 2], dtype: FloatDType) -> CubeTensor {
    let normal = Distribution::Normal(0.0, 0.5);
    CubeBackend::float_random(Shape::new(shape), normal, device, dtype)
}

fn seconds(
    device: &CubeDevice,
    mut call: impl FnMut() -> Result<(), String>,
) -> Result<f64, String> {
    call()?;
    CubeBackend::sync(device).map_err(|error| format!("{error:?}"))?;
    let mut times = Vec::new();
    for _ in 0..5 {
        let begin = Instant::now();
        for _ in 0..10 {
            call()?;
        }
        CubeBackend::sync(device).map_err(|error| format!("{error:?}"))?;
        times.push(begin.elapsed().as_secs_f64() / 10.0);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[2])
}

fn multiply(
    strategy: &Strategy,
    lhs: &CubeTensor,
    rhs: &CubeTensor,
    output: &CubeTensor,
) -> Result<(), String> {
    let elem = dtype_to_elem_type(lhs.dtype);
    let mut elems = MatmulElems::from_globals(&MatmulGlobalElems {
        lhs: elem,
        rhs: elem,
        out: dtype_to_elem_type(output.dtype),
    });
    launch_ref(
        strategy,
        &output.client,
        InputBinding::new(lhs.clone().binding(), elem),
        InputBinding::new(rhs.clone().binding(), elem),
        output.clone().binding(),
        &mut elems,
    )
    .map_err(|error| format!("{error:?}"))
}

fn values(tensor: CubeTensor) -> Result<Vec<f32>, String> {
    let tensor = CubeBackend::float_cast(tensor, FloatDType::F32);
    let data = cubecl::future::block_on(CubeBackend::float_into_data(tensor));
    let data = data.map_err(|error| format!("{error:?}"))?;
    Ok(data.iter::<f32>().collect())
}

fn products(device: &CubeDevice) {
    for (m, n, k) in [
        (9, 384, 384),
        (100, 1536, 384),
        (1500, 384, 384),
        (1500, 384, 1536),
        (1500, 512, 512),
        (1500, 2048, 512),
        (1500, 512, 2048),
        (12_000, 512, 512),
        (12_000, 2048, 512),
        (12_000, 512, 2048),
        (1500, 1280, 1280),
        (1500, 5120, 1280),
        (1500, 1280, 5120),
        (12_000, 1280, 1280),
        (12_000, 5120, 1280),
        (12_000, 1280, 5120),
    ] {
        let lhs = random(device, [m, k], FloatDType::F16);
        let weight = random(device, [n, k], FloatDType::F16);
        let rhs = permute(weight, &[1, 0]);
        let empty = || CubeBackend::float_empty(Shape::new([m, n]), device, FloatDType::F16);
        // By the routine without tensor cores, in single precision.
        let single = |x: &CubeTensor| CubeBackend::float_cast(x.clone(), FloatDType::F32);
        let expected = CubeBackend::float_empty(Shape::new([m, n]), device, FloatDType::F32);
        let plain = Levels::SimpleUnit(Default::default()).into();
        multiply(&plain, &single(&lhs), &single(&rhs), &expected).expect("the plain routine");
        let expected = values(expected).expect("the plain routine");
        let mut lines = Vec::new();
        for (name, strategy) in routines() {
            let output = empty();
            let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                seconds(device, || multiply(&strategy, &lhs, &rhs, &output))
            }));
            match ran {
                Ok(Ok(seconds)) => {
                    let found = values(output).unwrap_or_default();
                    let pairs = found.iter().zip(&expected);
                    // No number is as far off as can be.
                    let apart = pairs.map(|(a, b)| (a - b).abs());
                    let apart = apart.fold(0.0, |max: f32, x| if x <= max { max } else { x });
                    let wrong = found.len() != expected.len() || !(apart < 0.1);
                    let remark = if wrong { "WRONG, " } else { "" };
                    lines.push((seconds, format!("{name} ({remark}{apart:.3} off)")));
                }
                Ok(Err(error)) => println!("  {name}: {:.90}", error),
                Err(_) => println!("  {name}: panicked"),
            }
        }
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        println!("{m} x {n} x {k}");
        for (seconds, name) in lines {
            let teraflops = 2e-12 * (m * n * k) as f64 / seconds;
            println!("  {:8.1} us {teraflops:6.0} TFLOP/s  {name}", 1e6 * seconds);
        }
    }
}

fn attention(device: &CubeDevice) {
    for (batch, n_head) in [(1, 8), (8, 8), (1, 20)] {
        let n_state = n_head * 64;
        let heads = |length: usize| {
            let mut x = random(device, [batch * length, n_state], FloatDType::F16);
            x.meta.shape = Shape::new([batch, n_head, length, 64]);
            x.meta.strides = [length * n_state, 64, n_state, 1].into();
            x
        };
        let (query, key, value) = (heads(1536), heads(1500), heads(1500));
        let output = heads(1536);
        println!("attention {batch} x {n_head}");
        for num_planes in [2u8, 4, 8] {
            for (seq_q, seq_kv) in [(1u8, 1u8), (1, 2), (1, 4), (2, 2), (2, 4)] {
                let elem = dtype_to_elem_type(DType::F16);
                let types = AttentionGlobalTypes {
                    query: elem,
                    key: elem,
                    value: elem,
                    mask: dtype_to_elem_type(DType::U8),
                    out: elem,
                };
                let run = || {
                    let strategy = BlackboxAcceleratedStrategy {
                        num_planes,
                        seq_q,
                        seq_kv,
                    };
                    let strategy = attention_launch::Strategy::BlackboxAccelerated(
                        attention_launch::BlueprintStrategy::Inferred(strategy),
                    );
                    attention_launch::launch_ref(
                        strategy,
                        &output.client,
                        query.clone().binding(),
                        key.clone().binding(),
                        value.clone().binding(),
                        None,
                        output.clone().binding(),
                        &types,
                        AttentionOptions {
                            causal: false,
                            accumulator_precision: AccumulatorPrecision::Strict(
                                dtype_to_elem_type(DType::F32),
                            ),
                        },
                    )
                    .map_err(|error| format!("{error:?}"))
                };
                let ran =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| seconds(device, run)));
                match ran {
                    Ok(Ok(seconds)) => println!(
                        "  {:8.1} us {:6.0} TFLOP/s  planes {num_planes}, queries {seq_q}, keys {seq_kv}",
                        1e6 * seconds,
                        4e-12 * (batch * n_head * 1500 * 1500 * 64) as f64 / seconds
                    ),
                    Ok(Err(error)) => println!("  {num_planes} {seq_q} {seq_kv}: {error:.120}"),
                    Err(_) => println!("  {num_planes} {seq_q} {seq_kv}: panicked"),
                }
            }
        }
    }
}

fn main() {
    let device = CubeDevice::from(cubecl::cuda::CudaDevice::new(0));
    let part = std::env::args().nth(1).unwrap_or_default();
    if part != "attention" {
        products(&device);
    }
    if part != "products" {
        attention(&device);
    }
}
