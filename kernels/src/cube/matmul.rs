//! Matrix products in the precision of their elements.
//!
//! Burn's own product of `f32` goes through tensor cores where there are any, which round its factors
//! to 10 bits (TF32): tokens then differ from the CPU's. Here `f32` is multiplied as `f32`, and only
//! half precision uses tensor cores. One routine serves each, chosen by hand: nothing is tuned at
//! run time.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::{DType, Shape};
use burn_cubecl::tensor::CubeTensor;
use cubek::matmul::definition::{MatmulElems, MatmulGlobalElems};
use cubek::matmul::launch::launch_ref;
use cubek::matmul::multi_level;
use cubek::matmul::multi_level::components::tile::TileMatmulKind;
use cubek::matmul::multi_level::routines::batch::ordered_double_buffering::OrderedSelectionArgs;
use cubek::matmul::routine::BlueprintStrategy::Inferred;
use cubek::matmul::strategy::Strategy;
use cubek::std::InputBinding;

use super::empty;

/// Elements that a tensor core sums at a time. Of half precision, `k` has to be a multiple of it: what lies
/// past the end of the factors is multiplied too, and need not be a number.
pub(super) const TENSOR_CORE: usize = 16;

/// The product of matrices, or of batches of as many matrices, in elements of `dtype`.
///
/// # Shapes
/// - `lhs`: `[.., m, k]`; `rhs`: `[.., k, n]`; either may be a transposed view; see [`TENSOR_CORE`]
/// - returns `[.., m, n]`
pub(crate) fn product(lhs: CubeTensor, rhs: CubeTensor, dtype: DType) -> CubeTensor {
    // Contiguous, where Burn would leave room between rows: what follows takes it as it is.
    let mut shape = lhs.shape();
    let columns = shape.num_dims() - 1;
    shape[columns] = rhs.shape()[columns];
    let output = empty(&lhs, shape, dtype);
    let elem = dtype_to_elem_type(lhs.dtype);
    let elems = MatmulElems::from_globals(&MatmulGlobalElems {
        lhs: elem,
        rhs: elem,
        out: dtype_to_elem_type(dtype),
    });
    let summed = lhs.shape()[lhs.shape().num_dims() - 1];
    let in_half = lhs.dtype != DType::F32 && summed.is_multiple_of(TENSOR_CORE);
    let client = output.client.clone();
    let launch = |strategy: Strategy| {
        launch_ref(
            &strategy,
            &client,
            InputBinding::new(lhs.clone().binding(), elem),
            InputBinding::new(rhs.clone().binding(), elem),
            output.clone().binding(),
            &mut elems.clone(),
        )
    };
    let launched = match in_half {
        // What the device's tensor cores do not have is left to the routine that looks for what there is.
        true => match tensor_core_routine(&lhs.shape(), &rhs.shape()) {
            Some(routine) => launch(routine).or_else(|_| launch(Strategy::Auto)),
            None => launch(Strategy::Auto),
        },
        false => launch(multi_level::Strategy::SimpleUnit(Default::default()).into()),
    };
    launched.expect("the last routine takes any shape");
    output
}

/// The routine for a layer of many rows, as the table of `benches/gpu_strategies.rs` on an H100 says: with two buffers, so that
/// a stage is loaded while the one before is multiplied. `None` for batches of matrices.
///
/// Those that load by TMA are faster, but some of them do not run at 12,000 rows of 512.
fn tensor_core_routine(lhs: &Shape, rhs: &Shape) -> Option<Strategy> {
    let axes = lhs.num_dims();
    let batch: usize = lhs[..axes - 2].iter().product();
    if batch != 1 || lhs[axes - 2] < MANY_ROWS {
        return None;
    }
    let args = |tile_matmul| OrderedSelectionArgs {
        partition_k: Some(2),
        row_count: Some(8),
        rows_per_plane: Some(2),
        tile_matmul,
    };
    let weight = rhs[axes - 2] * rhs[axes - 1];
    let strategy = if weight < LARGE_WEIGHT {
        multi_level::Strategy::OrderedDoubleMma(Inferred(args(TileMatmulKind::Mma)))
    } else {
        multi_level::Strategy::OrderedDoubleCmma(Inferred(args(TileMatmulKind::Cmma)))
    };
    Some(strategy.into())
}

/// Rows from which on the routine of many is taken: those of an encoder, not of a prompt.
const MANY_ROWS: usize = 1000;

/// Elements of the smallest layer of the large models.
const LARGE_WEIGHT: usize = 1280 * 1280;
