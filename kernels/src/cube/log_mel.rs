//! The log-Mel features as two CubeCL kernels: one finds the maximum, one writes the features.
//!
//! A cube computes a run of frames. The real transform of 400 points is one of 20 by 20: units take
//! the 20-point transforms of real numbers first, 20 a frame, turn them by the twiddle factors and
//! leave them in shared memory, then take the complex ones, 11 a frame (the others are mirror
//! images). The powers replace them in shared memory, where the filterbank, of which each filter
//! touches a few neighbouring bins, reads them.

use burn::backend::TensorMetadata;
use burn::tensor::{DType, FloatDType};
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::AXIS;
use super::dft::{power_of_dft_20, real_dft_20};
use crate::Smoothing;
use crate::backends::output_shape;
use crate::log_mel::{
    FILTERS, Geometry, HOP_LENGTH, N_FFT, RADIX, RESIDUES, TWIDDLE_IM, TWIDDLE_RE,
};

/// Elements from one residue's row in shared memory to the next: odd, so that neighbouring units
/// reach different banks.
const ROW: usize = RADIX + 1;

/// Elements from one frame's part of shared memory to the next.
const FRAME: usize = RESIDUES * ROW;

/// How a kernel is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Layout {
    n_mels: usize,
    /// Frames that a cube computes, with its halo.
    frames: usize,
    /// Units of a cube: at least the complex transforms of its frames.
    units: usize,
}

impl Layout {
    /// The largest that the device has shared memory and units for.
    fn of(client: &Client, n_mels: usize) -> Layout {
        let hardware = &client.properties().hardware;
        let fits = |frames: usize| {
            frames * FRAME * 2 * size_of::<f32>() <= hardware.max_shared_memory_size
                && units(frames) <= hardware.max_units_per_cube as usize
        };
        let frames = [16, 8, 4].into_iter().find(|&frames| fits(frames));
        let frames = frames.unwrap_or(4);
        Layout {
            n_mels,
            frames,
            units: units(frames),
        }
    }
}

/// The complex transforms of some frames, one a unit, in whole planes of 32.
fn units(frames: usize) -> usize {
    (frames * RESIDUES).next_multiple_of(32)
}

/// Where a cube's samples lie: see [`Relative`](crate::log_mel::Relative).
#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Place {
    origin: i32,
    mirror_start: i32,
    mirror_end: i32,
    samples: i32,
    row: u32,
    frames_begin: i32,
    frames_end: i32,
    end: i32,
}

/// The sample heard at `index` of the block that begins at `row`.
#[cube]
fn heard(pcm: &[f32], place: &Place, index: i32) -> f32 {
    let mut index = index;
    if index < place.mirror_start {
        index = 2 * place.mirror_start - index;
    }
    if index >= place.mirror_end {
        index = 2 * (place.mirror_end - 1) - index;
    }
    let mut sample = 0.0f32;
    if index >= 0 && index < place.samples {
        sample = pcm[place.row as usize + index as usize];
    }
    sample
}

/// Leaves the powers of the cube's frames in `power`, frame `f` and bin `k` at `f * FRAME + k`.
///
/// `first` is the cube's first frame. `power` and `scratch` are shared.
#[cube]
fn power_spectra(
    pcm: &[f32],
    tables: &[f32],
    place: &Place,
    first: i32,
    power: &mut Shared<[f32]>,
    scratch: &mut Shared<[f32]>,
    #[comptime] layout: Layout,
) {
    let begin = place.origin + first * HOP_LENGTH as i32;
    let last = begin + comptime!(((layout.frames - 1) * HOP_LENGTH + N_FFT) as i32);
    // Whether all samples of all frames are there: one answer for the whole cube.
    let inside = begin >= 0
        && begin >= place.mirror_start
        && last <= place.samples
        && last <= place.mirror_end;

    let transforms = comptime!(layout.frames * RADIX);
    #[unroll]
    for round in 0..comptime!(transforms.div_ceil(layout.units)) {
        let item = UNIT_POS as usize + comptime!(round * layout.units);
        if item < transforms {
            let frame = item / RADIX;
            let column = item % RADIX;
            let start = begin + (frame * HOP_LENGTH + column) as i32;
            let mut x = Array::<f32>::new(RADIX);
            if inside {
                let start = place.row as usize + start as usize;
                #[unroll]
                for row in 0..RADIX {
                    x[row] = pcm[start + comptime!(RADIX * row)]
                        * tables[column + comptime!(RADIX * row)];
                }
            } else {
                #[unroll]
                for row in 0..RADIX {
                    x[row] = heard(pcm, place, start + comptime!((RADIX * row) as i32))
                        * tables[column + comptime!(RADIX * row)];
                }
            }
            let mut re = Array::<f32>::new(RESIDUES);
            let mut im = Array::<f32>::new(RESIDUES);
            real_dft_20(&x, &mut re, &mut im);
            let at = frame * FRAME + column;
            #[unroll]
            for residue in 0..RESIDUES {
                let turn_re = tables[column + comptime!(TWIDDLE_RE + residue * RADIX)];
                let turn_im = tables[column + comptime!(TWIDDLE_IM + residue * RADIX)];
                let (re, im) = (re[residue], im[residue]);
                power[at + comptime!(residue * ROW)] = re * turn_re - im * turn_im;
                scratch[at + comptime!(residue * ROW)] = re * turn_im + im * turn_re;
            }
        }
    }
    sync_cube();

    let frame = UNIT_POS as usize / RESIDUES;
    let residue = UNIT_POS as usize % RESIDUES;
    let mut powers = Array::<f32>::new(RADIX);
    if frame < layout.frames {
        let at = UNIT_POS as usize * ROW;
        let mut re = Array::<f32>::new(RADIX);
        let mut im = Array::<f32>::new(RADIX);
        #[unroll]
        for column in 0..RADIX {
            re[column] = power[at + column];
            im[column] = scratch[at + column];
        }
        power_of_dft_20(&re, &im, &mut powers);
    }
    sync_cube();
    if frame < layout.frames {
        let at = frame * FRAME;
        // Bins `residue + 20 k`; those past 200 are mirror images of `400 - residue - 20 k`. The
        // residues 0 and 10 mirror themselves.
        let alone = residue == 0 || residue == comptime!(RADIX / 2);
        #[unroll]
        for k in 0..comptime!(RADIX / 2) {
            power[at + residue + comptime!(RADIX * k)] = powers[k];
        }
        #[unroll]
        for k in comptime!(RADIX / 2)..RADIX {
            if !alone || (residue == 0 && k == comptime!(RADIX / 2)) {
                power[at + comptime!(N_FFT - RADIX * k) - residue] = powers[k];
            }
        }
    }
    sync_cube();
}

/// The power of one frame in one mel bin.
#[cube]
fn mel_power(
    tables: &[f32],
    power: &Shared<[f32]>,
    frame: usize,
    mel: usize,
    #[comptime] n_mels: usize,
) -> f32 {
    let first = tables[mel + comptime!(FILTERS)] as usize;
    let count = tables[mel + comptime!(FILTERS + n_mels)] as usize;
    let weights = tables[mel + comptime!(FILTERS + 2 * n_mels)] as usize;
    let at = frame * FRAME + first;
    let mut sum = 0.0f32;
    for bin in 0..count {
        sum += tables[weights + bin] * power[at + bin];
    }
    sum
}

/// How the cubes of a grid are dealt out: frames and rows may each be more than one axis holds.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Deal {
    /// Rows of the output.
    rows: u32,
    /// Layers along z that the frames of one row take.
    layers: u32,
}

/// The cube's number along the frames.
#[cube]
fn group(deal: &Deal) -> usize {
    (CUBE_POS_Z % deal.layers * CUBE_COUNT_X + CUBE_POS_X) as usize
}

/// The cube's row. What the grid has beyond them does the last once more.
#[cube]
fn row_of(deal: &Deal) -> u32 {
    min(
        CUBE_POS_Z / deal.layers * CUBE_COUNT_Y + CUBE_POS_Y,
        deal.rows - 1,
    )
}

/// Raises `maximum` to the largest mel power of the frames.
///
/// Powers are not negative, so their bits as whole numbers are ordered as they are.
#[cube(launch_unchecked)]
fn maximum_kernel(
    pcm: &[f32],
    tables: &[f32],
    maximum: &[Atomic<u32>],
    place: Place,
    deal: Deal,
    #[comptime] layout: Layout,
) {
    let mut place = place;
    let row = row_of(&deal);
    place.row = row * place.row;
    let first = (group(&deal) * layout.frames) as i32;
    let mut power = Shared::<[f32]>::new_slice(comptime!(layout.frames * FRAME));
    let mut scratch = Shared::<[f32]>::new_slice(comptime!(layout.frames * FRAME));
    power_spectra(pcm, tables, &place, first, &mut power, &mut scratch, layout);

    let mut largest = 0.0f32;
    let items = comptime!(layout.frames * layout.n_mels);
    #[unroll]
    for round in 0..comptime!(items.div_ceil(layout.units)) {
        let item = UNIT_POS as usize + comptime!(round * layout.units);
        if item < items {
            let frame = item % layout.frames;
            let mel = item / layout.frames;
            if first + (frame as i32) < place.end {
                let mel = mel_power(tables, &power, frame, mel, layout.n_mels);
                largest = max(largest, mel);
            }
        }
    }
    let unit = UNIT_POS as usize;
    scratch[unit] = largest;
    sync_cube();
    #[unroll]
    for halving in 0..comptime!(layout.units.next_power_of_two().ilog2() as usize) {
        let reach = comptime!(layout.units.next_power_of_two() >> (halving + 1));
        if unit < reach && unit + reach < layout.units {
            scratch[unit] = max(scratch[unit], scratch[unit + reach]);
        }
        sync_cube();
    }
    if unit == 0 {
        maximum[row as usize].fetch_max(u32::reinterpret(scratch[0usize]));
    }
}

/// log10 of a mel power, at least -10.
#[cube]
fn log_10(power: f32) -> f32 {
    max(power, 1e-10f32).ln() * std::f32::consts::LOG10_E
}

/// Writes the normalised features, `[batch * windows, n_mels, frames]`.
#[cube(launch_unchecked)]
fn windows_kernel<O: Float>(
    pcm: &[f32],
    tables: &[f32],
    maximum: &[f32],
    output: &mut [O],
    place: Place,
    deal: Deal,
    windows: u32,
    stride: u32,
    frames: u32,
    #[comptime] layout: Layout,
    #[comptime] halo: usize,
    #[define(O)] _output: ElemType,
) {
    let window = row_of(&deal);
    let batch = window / windows;
    let mut place = place;
    place.row = batch * place.row;
    // Frames count from the first window's first; `begin` is this window's.
    let begin = (window % windows) * stride;
    let written = comptime!(layout.frames - 2 * halo);
    let first_written = (group(&deal) * written) as i32;
    let first = begin as i32 + first_written - comptime!(halo as i32);

    let mut power = Shared::<[f32]>::new_slice(comptime!(layout.frames * FRAME));
    let mut scratch = Shared::<[f32]>::new_slice(comptime!(layout.frames * FRAME));
    power_spectra(pcm, tables, &place, first, &mut power, &mut scratch, layout);

    let floor = log_10(maximum[batch as usize]) - 8.0f32;
    let row = window as usize * layout.n_mels;
    let items = comptime!(layout.frames * layout.n_mels);
    #[unroll]
    for round in 0..comptime!(items.div_ceil(layout.units)) {
        let item = UNIT_POS as usize + comptime!(round * layout.units);
        if item < items {
            let frame = item % layout.frames;
            let mel = item / layout.frames;
            let log = log_10(mel_power(tables, &power, frame, mel, layout.n_mels));
            let value = (max(log, floor) + 4.0f32) / 4.0f32;
            if comptime!(halo == 0) {
                let at = first_written + frame as i32;
                if at < frames as i32 {
                    let exists = first + (frame as i32) < min(place.end, place.frames_end);
                    output[(row + mel) * frames as usize + at as usize] =
                        O::cast_from(select(exists, value, 0.0f32));
                }
            } else {
                scratch[frame * FRAME + mel] = value;
            }
        }
    }
    if comptime!(halo > 0) {
        sync_cube();
        let items = comptime!(written * layout.n_mels);
        #[unroll]
        for round in 0..comptime!(items.div_ceil(layout.units)) {
            let item = UNIT_POS as usize + comptime!(round * layout.units);
            let frame = item % written;
            let mel = item / written;
            let at = first_written + frame as i32;
            if item < items && at < frames as i32 {
                let value = average_3x3(&scratch, frame + halo, mel, first, &place, layout.n_mels);
                let exists = first + ((frame + halo) as i32) < min(place.end, place.frames_end);
                output[(row + mel) * frames as usize + at as usize] =
                    O::cast_from(select(exists, value, 0.0f32));
            }
        }
    }
}

/// The mean over the neighbours that exist. Frame 0 of `values` is the frame `first` of the file.
#[cube]
fn average_3x3(
    values: &Shared<[f32]>,
    frame: usize,
    mel: usize,
    first: i32,
    place: &Place,
    #[comptime] n_mels: usize,
) -> f32 {
    let mut sum = 0.0f32;
    let mut cells = 0.0f32;
    #[unroll]
    for row in 0..3usize {
        let near = (frame + row) as i32 + first - 1;
        if near >= place.frames_begin && near < place.frames_end {
            let at = (frame + row - 1) * FRAME + mel;
            #[unroll]
            for column in 0..3usize {
                let bin = mel + column;
                if bin >= 1 && bin <= n_mels {
                    sum += values[at + column - 1];
                    cells += 1.0f32;
                }
            }
        }
    }
    sum / cells
}

/// Raises `before` to the largest mel power of the frames of `geometry`: `[batch]`.
pub(crate) fn log_mel_maximum(
    pcm: CubeTensor,
    tables: CubeTensor,
    before: CubeTensor,
    geometry: Geometry,
    n_mels: usize,
) -> CubeTensor {
    let pcm = into_contiguous(pcm);
    let before = if before.can_mut() {
        before
    } else {
        before.copy()
    };
    let [batch, samples] = pcm.shape().dims();
    let client = pcm.client.clone();
    let layout = Layout::of(&client, n_mels);
    let groups = geometry.frames.div_ceil(layout.frames);
    // SAFETY: the kernel reads samples, tables and powers at indices that it has checked or that
    // are in range by the layout, and one maximum for each row.
    unsafe {
        maximum_kernel::launch_unchecked(
            &client,
            grid(groups, batch),
            CubeDim::new_1d(layout.units as u32),
            pcm.into_buffer_arg(),
            tables.into_buffer_arg(),
            before.clone().into_buffer_arg(),
            place(geometry, samples),
            deal(groups, batch),
            layout,
        );
    }
    before
}

/// The normalised features: `[batch * windows, n_mels, frames]`.
pub(crate) fn log_mel_windows(
    pcm: CubeTensor,
    tables: CubeTensor,
    maximum: CubeTensor,
    geometry: Geometry,
    n_mels: usize,
    smoothing: Smoothing,
    dtype: FloatDType,
) -> CubeTensor {
    let pcm = into_contiguous(pcm);
    let [batch, samples] = pcm.shape().dims();
    let client = pcm.client.clone();
    let layout = Layout::of(&client, n_mels);
    let halo = smoothing.halo();
    let dtype = DType::from(dtype);
    let output = empty_device_contiguous_dtype(
        client.clone(),
        pcm.device.clone(),
        output_shape(&pcm.shape(), &geometry, n_mels),
        dtype,
    );
    let groups = geometry.frames.div_ceil(layout.frames - 2 * halo);
    // SAFETY: as above; the output is written inside its rows.
    unsafe {
        windows_kernel::launch_unchecked(
            &client,
            grid(groups, batch * geometry.windows),
            CubeDim::new_1d(layout.units as u32),
            pcm.into_buffer_arg(),
            tables.into_buffer_arg(),
            maximum.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            place(geometry, samples),
            deal(groups, batch * geometry.windows),
            geometry.windows as u32,
            geometry.stride as u32,
            geometry.frames as u32,
            layout,
            halo,
            burn::backend::cubecl::dtype_to_elem_type(dtype),
        );
    }
    output
}

/// Cubes for `groups` runs of frames of `rows` windows.
fn grid(groups: usize, rows: usize) -> CubeCount {
    let layers = groups.div_ceil(AXIS) * rows.div_ceil(AXIS);
    CubeCount::Static(
        groups.min(AXIS) as u32,
        rows.min(AXIS) as u32,
        layers as u32,
    )
}

/// How [`grid`] deals them out.
fn deal(groups: usize, rows: usize) -> DealLaunch {
    DealLaunch::new(rows as u32, groups.div_ceil(AXIS) as u32)
}

/// The place of a block of `samples` samples. What is too far off to be reached is clamped.
fn place(geometry: Geometry, samples: usize) -> PlaceLaunch {
    let relative = geometry.relative(samples);
    let far = i64::from(i32::MAX / 2);
    let clamped = |value: i64| value.clamp(-far, far) as i32;
    PlaceLaunch::new(
        clamped(relative.origin),
        clamped(relative.mirror_start),
        clamped(relative.mirror_end),
        clamped(relative.samples),
        samples as u32,
        clamped(relative.frames_begin),
        clamped(relative.frames_end),
        clamped(relative.end),
    )
}
