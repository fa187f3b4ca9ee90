//! The definition of the log-Mel features, computed naively, for the tests of the operation and of the engine.

/// Slaney's mel scale in Hz: linear below 1000 Hz, logarithmic above.
fn mel_to_hz(mel: f64) -> f64 {
    if mel < 15.0 {
        mel * 200.0 / 3.0
    } else {
        1000.0 * ((mel - 15.0) * 6.4f64.ln() / 27.0).exp()
    }
}

/// The definition, in f64 and without any fast transform: log10 of the mel power of frame `t`.
pub fn definition(samples: &[f32], padding: usize, t: usize, n_mels: usize) -> Vec<f64> {
    let padded = (samples.len() + padding) as i64;
    let heard = |i: i64| {
        let i = i.abs();
        let i = if i >= padded { 2 * (padded - 1) - i } else { i };
        usize::try_from(i)
            .ok()
            .and_then(|i| samples.get(i))
            .map_or(0.0, |&sample| f64::from(sample))
    };
    let tau = std::f64::consts::TAU;
    let frame: Vec<f64> = (0..400)
        .map(|n| {
            let window = 0.5 - 0.5 * (tau * n as f64 / 400.0).cos();
            heard(t as i64 * 160 - 200 + n) * window
        })
        .collect();
    let power: Vec<f64> = (0..=200)
        .map(|k| {
            let part = |f: fn(f64) -> f64| -> f64 {
                frame
                    .iter()
                    .enumerate()
                    .map(|(n, x)| x * f(tau * ((k * n) % 400) as f64 / 400.0))
                    .sum()
            };
            part(f64::cos).powi(2) + part(f64::sin).powi(2)
        })
        .collect();
    let top = 15.0 + (8000.0f64 / 1000.0).ln() * 27.0 / 6.4f64.ln();
    let edges: Vec<f64> = (0..n_mels + 2)
        .map(|i| mel_to_hz(top * i as f64 / (n_mels + 1) as f64))
        .collect();
    edges
        .windows(3)
        .map(|edge| {
            let triangle = |hz: f64| {
                let rising = (hz - edge[0]) / (edge[1] - edge[0]);
                let falling = (edge[2] - hz) / (edge[2] - edge[1]);
                rising.min(falling).max(0.0) * 2.0 / (edge[2] - edge[0])
            };
            let mel: f64 = power
                .iter()
                .enumerate()
                .map(|(k, p)| p * triangle(40.0 * k as f64))
                .sum();
            mel.max(1e-10).log10()
        })
        .collect()
}
