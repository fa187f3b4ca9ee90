//! The instruction of Hopper's four planes (`wgmma`): 64 rows by up to 256 columns from factors in shared memory, about twice as fast there
//! as `mma.sync`.
//!
//! The sums are registers of PTX that are declared by name: the instruction goes on while others run, so its sums must not be values of
//! CubeCL, which compilers copy. Unit `lane` of plane `p` has of rows `16 p + lane / 4` and 8 further down (`down`) the columns `8 c` +
//! `lane % 4 * 2` and the one after it (`element`), as sum `4 c + 2 down + element`: as `mma.sync` has them.
//!
//! Sources: PTX manual, "Asynchronous Warpgroup Level Matrix Multiply-Accumulate", for instructions, descriptors and patterns.

pub(super) mod linear;

use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::PLANE;

/// Vectors of a row in the widest pattern of places that the instruction knows: 128 bytes. Vector `v` of row `r` lies at `v ^ r % 8`.
pub(super) const WIDTH: usize = 8;

/// Terms of a product, in vectors.
pub(super) const TERMS: usize = 2;

/// Rows of a product, and units that execute it.
pub(super) const ROWS: usize = 64;
pub(super) const GROUP: usize = 4 * PLANE;

/// A matrix descriptor but for its address: places in the pattern of 128 bytes, eight rows (1,024 bytes) from one pattern to the next in
/// both directions.
const UPPER: u32 = (1 << 30) | (1024 >> 4);
const LOWER: u32 = (1024 >> 4) << 16;

/// Whether a device has the instruction: Hopper alone.
pub(super) fn has_warpgroups(tensor: &CubeTensor) -> bool {
    let tma = &tensor.client.properties().features.tma;
    tma.contains(cubecl::features::Tma::Base) && !tma.contains(cubecl::features::Tma::Im2colWide)
}

/// The descriptor of the matrix that begins where `shared` does, at a multiple of 1,024 bytes: its lower half, to which vectors further
/// on are added.
#[cube]
pub(super) fn descriptor<E: Float, V: Size>(shared: &Shared<[Vector<E, V>]>) -> u32 {
    let pointer = shared[0..1].as_ptr();
    let address: u32;
    gpu_asm!(
        "{{ .reg .u64 address; cvta.to.shared.u64 address, {}; cvt.u32.u64 {}, address; }}",
        in(_) pointer, out(_) address, options(pure, nomem)
    );
    address / 16u32 + LOWER
}

/// Declares `count` sums of each unit, as zero. Once in a kernel for each name.
#[cube]
pub(super) fn declare_sums(#[comptime] name: &str, #[comptime] count: usize) {
    let zeros = comptime!(each(
        count,
        |sum| format!("mov.f32 {name}{sum}, 0f00000000;"),
        " "
    ));
    gpu_asm!(".reg .f32 {name}<{count}>; {zeros}");
}

/// Sum `index` of this unit, once [`wait_for_products`] has waited for all.
#[cube]
pub(super) fn sum(#[comptime] name: &str, #[comptime] index: usize) -> f32 {
    let value: f32;
    gpu_asm!("mov.f32 {}, {name}{index};", out(_) value);
    value
}

/// Multiplies sum `index` of this unit.
#[cube]
pub(super) fn scale_sum(#[comptime] name: &str, #[comptime] index: usize, factor: f32) {
    let scaled = sum(name, index) * factor;
    gpu_asm!("mov.f32 {name}{index}, {};", in(_) scaled);
}

/// What this unit has copied to shared memory is seen by products of all units from the next barrier on.
#[cube]
pub(super) fn show_to_products() {
    gpu_asm!("fence.proxy.async.shared::cta;");
}

/// Sums and factors in registers are as they were written.
#[cube]
pub(super) fn begin_products() {
    gpu_asm!("wgmma.fence.sync.aligned;");
}

/// Starts a product: 64 rows from `left` on by `columns` rows from `right` on, added to the sums or put in their place.
#[cube]
pub(super) fn multiply(
    left: u32,
    right: u32,
    #[comptime] name: &str,
    #[comptime] columns: usize,
    #[comptime] add: bool,
    #[comptime] brain: bool,
) {
    let sums = comptime!(each(columns / 2, |sum| format!("{name}{sum}"), ", "));
    let factor = comptime!(factor_type(brain));
    let comparison = comptime!(if add { "eq" } else { "ne" });
    gpu_asm!(
        "{{ .reg .b32 upper; .reg .b64 left; .reg .b64 right; .reg .pred add;",
        "mov.b32 upper, {UPPER};",
        "mov.b64 left, {{{left}, upper}};",
        "mov.b64 right, {{{right}, upper}};",
        "setp.{comparison}.u32 add, upper, upper;",
        "wgmma.mma_async.sync.aligned.m64n{columns}k16.f32.{factor}.{factor} {{{sums}}}, left, right, add, 1, 1, 0, 0; }}",
        left = in(_) left, right = in(_) right
    );
}

/// Starts a product that adds to the sums: 64 rows of 16 terms in registers (as sums lie, `mma.sync`'s left factor) by 16 rows of
/// `columns` from `right` on.
#[cube]
pub(super) fn multiply_registers<E: Float, R: Size>(
    left: &Array<Vector<E, R>>,
    #[comptime] first: usize,
    right: u32,
    #[comptime] name: &str,
    #[comptime] columns: usize,
    #[comptime] brain: bool,
) {
    let sums = comptime!(each(columns / 2, |sum| format!("{name}{sum}"), ", "));
    let factor = comptime!(factor_type(brain));
    gpu_asm!(
        "{{ .reg .b32 upper; .reg .b64 right; .reg .pred add;",
        "mov.b32 upper, {UPPER};",
        "mov.b64 right, {{{right}, upper}};",
        "setp.eq.u32 add, upper, upper;",
        "wgmma.mma_async.sync.aligned.m64n{columns}k16.f32.{factor}.{factor} {{{sums}}}, {{{a}, {b}, {c}, {d}}}, right, add, 1, 1, 1; }}",
        a = in(_) u32::reinterpret(left[first]),
        b = in(_) u32::reinterpret(left[comptime!(first + 1)]),
        c = in(_) u32::reinterpret(left[comptime!(first + 2)]),
        d = in(_) u32::reinterpret(left[comptime!(first + 3)]),
        right = in(_) right
    );
}

/// Ends a group of products: those started since the group before.
#[cube]
pub(super) fn end_products() {
    gpu_asm!("wgmma.commit_group.sync.aligned;");
}

/// Waits until all groups of products but the last `pending` are done.
#[cube]
pub(super) fn wait_for_products(#[comptime] pending: usize) {
    gpu_asm!("wgmma.wait_group.sync.aligned {pending};");
}

/// What is written for each of the first `count` numbers.
fn each(count: usize, text: impl Fn(usize) -> String, separator: &str) -> String {
    let texts: Vec<String> = (0..count).map(text).collect();
    texts.join(separator)
}

/// The instruction's word for half precision, or for that of more range.
fn factor_type(brain: bool) -> &'static str {
    match brain {
        true => "bf16",
        false => "f16",
    }
}
