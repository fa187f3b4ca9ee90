//! The stages of one window, each on its own: `cargo bench --bench engine -- [MODEL/STAGE]`.
//!
//! Models are fetched on first use. Set `RAYON_NUM_THREADS` to fix the number of threads.

use burn::tensor::{Int, Tensor, TensorData};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use whisper_rs::frontend::{LogMel, N_FRAMES};
use whisper_rs::{Audio, TranscribeOptions, Whisper, device};

fn stages(criterion: &mut Criterion) {
    let device = device::open("cpu").expect("the CPU is always there");
    let clip = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/jfk.wav");

    criterion.bench_function("audio", |bencher| {
        bencher.iter(|| Audio::open(clip).expect("the clip is in tests/data"));
    });
    let audio = Audio::open(clip).expect("the clip is in tests/data");

    criterion.bench_function("frontend", |bencher| {
        let log_mel = LogMel::new(80).expect("80 bins are Whisper's");
        bencher.iter(|| {
            let features = log_mel.features(&audio).expect("the samples are in memory");
            features.window(0, N_FRAMES, &device)
        });
    });

    for model in ["tiny.en", "base"] {
        let whisper = Whisper::load(model, &device).expect("the model is cached or fetched");
        let network = whisper.model();
        let mel = (whisper.log_mel().features(&audio))
            .and_then(|features| features.window(0, N_FRAMES, &device))
            .expect("the samples are in memory");
        let encoded = network.encode(mel.clone());

        let mut group = criterion.benchmark_group(model);
        group.sample_size(10);
        group.bench_function("encoder", |bencher| {
            bencher.iter(|| network.encode(mel.clone()).into_data());
        });
        group.bench_function("cross-attention keys and values", |bencher| {
            bencher.iter(|| network.decoder.start(encoded.clone(), 1));
        });
        group.bench_function("decoder step", |bencher| {
            let token = TensorData::new(vec![i64::from(whisper.tokenizer().sot())], [1, 1]);
            let token = Tensor::<2, Int>::from_data(token, &device);
            let begin = || network.decoder.start(encoded.clone(), 1);
            bencher.iter_batched(
                begin,
                |mut state| {
                    let hidden = network.decoder.forward(token.clone(), &mut state);
                    network.decoder.logits(hidden).into_data()
                },
                BatchSize::LargeInput,
            );
        });
        group.bench_function("transcribe", |bencher| {
            let mut options = TranscribeOptions::default();
            options.language = Some("en".to_owned());
            bencher.iter(|| whisper.transcribe(&audio, &options));
        });
        group.finish();
    }
}

criterion_group!(benches, stages);
criterion_main!(benches);
