//! Matrix products in the precision of their elements.
//!
//! Burn's own product of `f32` goes through tensor cores where there are any, which round its factors
//! to 10 bits (TF32): tokens then differ from the CPU's. Here `f32` is multiplied as `f32`, and only
//! half precision uses tensor cores. One routine serves each, chosen by hand: nothing is tuned at
//! run time.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::DType;
use burn_cubecl::kernel::matmul::init_matmul_output;
use burn_cubecl::tensor::CubeTensor;
use cubek::matmul::definition::{MatmulElems, MatmulGlobalElems};
use cubek::matmul::launch::launch_ref;
use cubek::matmul::multi_level;
use cubek::matmul::strategy::Strategy;
use cubek::std::InputBinding;

/// Elements that a tensor core sums at a time. Of half precision, `k` has to be a multiple of it: what lies
/// past the end of the factors is multiplied too, and need not be a number.
pub(super) const TENSOR_CORE: usize = 16;

/// The product of matrices, or of batches of as many matrices, in elements of `dtype`.
///
/// # Shapes
/// - `lhs`: `[.., m, k]`; `rhs`: `[.., k, n]`; either may be a transposed view; see [`TENSOR_CORE`]
/// - returns `[.., m, n]`
pub(crate) fn product(lhs: CubeTensor, rhs: CubeTensor, dtype: DType) -> CubeTensor {
    let output = init_matmul_output(&lhs, &rhs, dtype);
    let elem = dtype_to_elem_type(lhs.dtype);
    let mut elems = MatmulElems::from_globals(&MatmulGlobalElems {
        lhs: elem,
        rhs: elem,
        out: dtype_to_elem_type(dtype),
    });
    let summed = lhs.shape()[lhs.shape().num_dims() - 1];
    let strategy = if lhs.dtype == DType::F32 || !summed.is_multiple_of(TENSOR_CORE) {
        multi_level::Strategy::SimpleUnit(Default::default()).into()
    } else {
        Strategy::Auto
    };
    let client = output.client.clone();
    launch_ref(
        &strategy,
        &client,
        InputBinding::new(lhs.binding(), elem),
        InputBinding::new(rhs.binding(), elem),
        output.clone().binding(),
        &mut elems,
    )
    .expect("the routine takes any shape");
    output
}
