//! Any sample rate to 16 kHz, as a stream: a polyphase windowed-sinc filter.
//!
//! openai has ffmpeg resample (`audio.py:52`), so what the models hear in the reference has passed
//! libswresample's default filter. This one has the same documented design (ffmpeg-resampler(1):
//! `filter_size` 32, `phase_shift` 10, `cutoff` 0.97, Kaiser window of `kaiser_beta` 9, `exact_rational`
//! and `linear_interp` on), written from the textbook definition, so its output is ffmpeg's up to float
//! rounding. `docs/audio.md` has the measurements, also against other resamplers.

use std::f64::consts::PI;

use super::SAMPLE_RATE;

/// Length of the filter in samples of the lower of the two rates.
const FILTER_SIZE: f64 = 32.0;
/// Cutoff as a part of the lower of the two Nyquist frequencies.
const CUTOFF: f64 = 0.97;
/// Shape of the Kaiser window.
const KAISER_BETA: f64 = 9.0;
/// Most phases of the filter that are tabulated; between them it is interpolated.
const MAX_PHASES: usize = 1024;

/// Sample rates that are accepted, in Hz. A header that claims another one is broken, and the filter
/// and its output grow with the ratio of the rates.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=1_536_000;

/// Says in one line why a sample rate is refused.
pub(super) fn check_rate(sample_rate: u32) -> Result<(), String> {
    if RATES.contains(&sample_rate) {
        Ok(())
    } else {
        Err(format!(
            "a sample rate of {sample_rate} Hz is not supported ({} to {} Hz); is the file's header broken?",
            RATES.start(),
            RATES.end()
        ))
    }
}

/// Resamples one channel to 16 kHz.
///
/// Output sample `k` lies at input position `k * rate / 16000` exactly: no delay, no drift. In front of
/// the first sample the signal is continued by its mirror image, and after the last one too, as
/// libswresample does.
pub(super) struct Resampler<S: Sample> {
    /// Filter taps, `taps` a row, one row a phase and one more for the interpolation after the last.
    bank: Vec<S::Tap>,
    taps: usize,
    phases: usize,
    /// The step from one output sample to the next is `step / denominator` input samples.
    step: usize,
    denominator: usize,
    /// Input that is still needed.
    history: Vec<S>,
    /// Whether the mirror image has been put in front of the input.
    started: bool,
    /// Where the filter's first tap lies for the next output sample: an index into `history`...
    index: usize,
    /// ...and this many `1 / denominator`s of a sample.
    fraction: usize,
}

impl<S: Sample> Resampler<S> {
    /// A resampler from `sample_rate`, which [`check_rate`] accepts.
    pub(super) fn new(sample_rate: u32) -> Resampler<S> {
        let (rate_in, rate_out) = (sample_rate as usize, SAMPLE_RATE);
        let common = greatest_common_divisor(rate_in, rate_out);
        let (step, denominator) = (rate_in / common, rate_out / common);

        // Downsampling stretches the filter, so that it cuts below the new Nyquist frequency.
        let scale = (rate_out as f64 * CUTOFF / rate_in as f64).min(1.0);
        let taps = ((FILTER_SIZE / scale).ceil() as usize).next_multiple_of(2);
        let phases = denominator.min(MAX_PHASES);
        Resampler {
            bank: filter_bank(scale, taps, phases).map(S::tap).collect(),
            taps,
            phases,
            step,
            denominator,
            history: Vec::new(),
            started: false,
            index: 0,
            fraction: 0,
        }
    }

    /// Takes more input and appends to `out` what can be computed from it.
    pub(super) fn push(&mut self, input: &[S], out: &mut Vec<S>) {
        self.history.extend_from_slice(input);
        if !self.started {
            if self.history.len() <= self.taps {
                return;
            }
            self.start();
        }
        self.run(out);
    }

    /// Appends what is left to `out`. The resampler is spent afterwards.
    pub(super) fn finish(&mut self, out: &mut Vec<S>) {
        if self.history.is_empty() {
            return;
        }
        // Input shorter than the filter has too short a mirror image: silence follows it.
        let short =
            (!self.started).then(|| (self.history.len() * self.denominator).div_ceil(self.step));
        if short.is_some() {
            self.start();
        }
        let left = self.history.len().saturating_sub(self.index);
        let end = self.history.len();
        let mirrored = left.min(self.taps).div_ceil(2).min(end);
        self.history.extend_from_within(end - mirrored..);
        self.history[end..].reverse();
        if let Some(count) = short {
            self.history.resize(end + self.taps, S::default());
            let before = out.len();
            self.run(out);
            out.truncate(before + count);
        } else {
            self.run(out);
        }
        self.history.clear();
    }

    /// Puts the mirror image of the first samples in front of them: x[-n] = x[n].
    fn start(&mut self) {
        let input = std::mem::take(&mut self.history);
        self.history.extend(
            (1..=self.taps)
                .rev()
                .map(|n| input.get(n).copied().unwrap_or_default()),
        );
        self.history.extend_from_slice(&input);
        // The tap before the middle lies on the output sample's position at phase 0.
        self.index = self.taps - (self.taps / 2 - 1);
        self.started = true;
    }

    fn run(&mut self, out: &mut Vec<S>) {
        while let Some(window) = self.history.get(self.index..self.index + self.taps) {
            let position = self.fraction * self.phases;
            let (phase, rest) = (position / self.denominator, position % self.denominator);
            let mut sum = S::dot(window, self.row(phase));
            if rest != 0 {
                sum = S::between(
                    sum,
                    S::dot(window, self.row(phase + 1)),
                    rest,
                    self.denominator,
                );
            }
            out.push(S::from_sum(sum));

            self.fraction += self.step;
            self.index += self.fraction / self.denominator;
            self.fraction %= self.denominator;
        }
        let consumed = self.index.min(self.history.len());
        self.history.drain(..consumed);
        self.index -= consumed;
    }

    fn row(&self, phase: usize) -> &[S::Tap] {
        &self.bank[phase * self.taps..(phase + 1) * self.taps]
    }
}

/// The arithmetic of the filter.
///
/// libswresample filters samples of up to 16 bits in 16-bit integers, and all others in f32; so does
/// this, since only then 16-bit files give the reference's samples.
pub(super) trait Sample: Copy + Default {
    /// A filter tap.
    type Tap;
    /// A sum of products of samples and taps.
    type Sum;

    /// The tap of this weight.
    fn tap(weight: f64) -> Self::Tap;
    /// The scalar product of as many samples and taps.
    fn dot(samples: &[Self], taps: &[Self::Tap]) -> Self::Sum;
    /// The value `part / whole` of the way from one sum to another.
    fn between(from: Self::Sum, to: Self::Sum, part: usize, whole: usize) -> Self::Sum;
    /// The output sample.
    fn from_sum(sum: Self::Sum) -> Self;
}

impl Sample for f32 {
    type Tap = f32;
    type Sum = f32;

    fn tap(weight: f64) -> f32 {
        weight as f32
    }

    /// In eight sums that the compiler can keep in vector registers.
    fn dot(samples: &[f32], taps: &[f32]) -> f32 {
        let mut sums = [0.0f32; 8];
        let (sample_chunks, sample_rest) = samples.as_chunks::<8>();
        let (tap_chunks, tap_rest) = taps.as_chunks::<8>();
        for (samples, taps) in sample_chunks.iter().zip(tap_chunks) {
            for ((sum, sample), tap) in sums.iter_mut().zip(samples).zip(taps) {
                *sum += sample * tap;
            }
        }
        let rest: f32 = sample_rest
            .iter()
            .zip(tap_rest)
            .map(|(sample, tap)| sample * tap)
            .sum();
        sums.iter().sum::<f32>() + rest
    }

    fn between(from: f32, to: f32, part: usize, whole: usize) -> f32 {
        from + (to - from) * (part as f32 / whole as f32)
    }

    fn from_sum(sum: f32) -> f32 {
        sum
    }
}

impl Sample for i16 {
    /// In units of 1/32768.
    type Tap = i16;
    type Sum = i32;

    fn tap(weight: f64) -> i16 {
        // Casting a float to an integer saturates.
        (weight * 32768.0).round_ties_even() as i16
    }

    fn dot(samples: &[i16], taps: &[i16]) -> i32 {
        // The taps' magnitudes sum to less than 2, so full-scale samples stay below 2^31.
        samples.iter().zip(taps).fold(0i32, |sum, (&sample, &tap)| {
            sum.wrapping_add(i32::from(sample) * i32::from(tap))
        })
    }

    fn between(from: i32, to: i32, part: usize, whole: usize) -> i32 {
        let way = (i64::from(to) - i64::from(from)) * part as i64 / whole as i64;
        (i64::from(from) + way) as i32
    }

    /// Halves are rounded up.
    fn from_sum(sum: i32) -> i16 {
        ((i64::from(sum) + (1 << 14)) >> 15).clamp(i16::MIN.into(), i16::MAX.into()) as i16
    }
}

/// The windowed sinc, sampled at `taps` points for each of `phases + 1` offsets.
fn filter_bank(scale: f64, taps: usize, phases: usize) -> impl Iterator<Item = f64> {
    let centre = (taps / 2 - 1) as f64;
    let tap = move |phase: usize, i: usize| {
        let x = PI * (i as f64 - centre - phase as f64 / phases as f64) * scale;
        let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
        let edge = 2.0 * x / (scale * taps as f64 * PI);
        sinc * bessel_i0(KAISER_BETA * (1.0 - edge * edge).max(0.0).sqrt())
    };
    // A constant stays the same.
    let norm: f64 = (0..taps).map(|i| tap(0, i)).sum();
    (0..=phases).flat_map(move |phase| (0..taps).map(move |i| tap(phase, i) / norm))
}

/// The modified Bessel function of the first kind, order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `seconds` of a sine of `frequency` Hz and amplitude 0.5.
    fn sine(rate: u32, frequency: f64, seconds: f64) -> Vec<f32> {
        let count = (f64::from(rate) * seconds) as usize;
        (0..count)
            .map(|i| (0.5 * (2.0 * PI * frequency * i as f64 / f64::from(rate)).sin()) as f32)
            .collect()
    }

    fn resample(rate: u32, input: &[f32], chunk: usize) -> Vec<f32> {
        let mut resampler = Resampler::<f32>::new(rate);
        let mut out = Vec::new();
        for part in input.chunks(chunk) {
            resampler.push(part, &mut out);
        }
        resampler.finish(&mut out);
        out
    }

    /// The largest difference to the ideal sine, away from the ends.
    fn sine_error(rate: u32, frequency: f64) -> f64 {
        let out = resample(rate, &sine(rate, frequency, 1.0), 1000);
        let ideal = sine(16_000, frequency, 1.0);
        (200..15_800)
            .map(|i| f64::from((out[i] - ideal[i]).abs()))
            .fold(0.0, f64::max)
    }

    #[test]
    fn tones_below_6_khz_pass_in_place_and_unchanged() {
        for rate in [
            8_000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 44_101, 192_000,
        ] {
            for frequency in [100.0, 1000.0, 3000.0, 6000.0] {
                if frequency < f64::from(rate) * 0.39 {
                    let error = sine_error(rate, frequency);
                    assert!(error < 1e-4, "{frequency} Hz at {rate} Hz: off by {error}");
                }
            }
        }
    }

    #[test]
    fn tones_above_the_new_nyquist_frequency_are_gone() {
        for (rate, frequency) in [
            (44_100, 9_500.0),
            (48_000, 12_000.0),
            (96_000, 30_000.0),
            (22_050, 10_000.0),
        ] {
            let out = resample(rate, &sine(rate, frequency, 1.0), 4096);
            let largest = out[200..15_800]
                .iter()
                .fold(0.0f32, |max, x| max.max(x.abs()));
            assert!(largest < 1e-4, "{frequency} Hz at {rate} Hz: {largest}");
        }
    }

    #[test]
    fn the_length_follows_the_rates() {
        for rate in [8_000, 22_050, 44_100, 48_000, 96_000, 44_101] {
            for count in [1usize, 2, 10, 100, 1000, 12_345] {
                let expected = (count as f64 * 16_000.0 / f64::from(rate)).ceil();
                let got = resample(rate, &vec![0.25; count], 333).len() as f64;
                assert!(
                    (got - expected).abs() <= 1.0,
                    "{count} at {rate}: {got}, not {expected}"
                );
            }
        }
    }

    #[test]
    fn a_constant_stays_and_blocks_do_not_matter() {
        let input: Vec<f32> = (0..9000)
            .map(|i| ((i * i) % 977) as f32 / 977.0 - 0.5)
            .collect();
        for rate in [8_000, 44_100, 44_101] {
            let whole = resample(rate, &input, usize::MAX);
            for chunk in [1, 7, 1152] {
                assert_eq!(
                    whole,
                    resample(rate, &input, chunk),
                    "{rate} Hz in blocks of {chunk}"
                );
            }
            let constant = resample(rate, &[0.25; 3000], 500);
            assert!(
                constant.iter().all(|x| (x - 0.25).abs() < 1e-4),
                "{rate} Hz"
            );
        }
    }

    #[test]
    fn nothing_gives_nothing() {
        assert!(resample(44_100, &[], 1).is_empty());
    }

    #[test]
    fn implausible_rates_are_refused() {
        assert!(check_rate(0).is_err());
        assert!(check_rate(u32::MAX).is_err());
        assert!(check_rate(192_000).is_ok());
    }
}
