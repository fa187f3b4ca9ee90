//! Numbers in IEEE half precision.

use burn::backend::Dispatch;
use burn::tensor::{Tensor, f16};

use crate::backends::WhisperOps;

/// A tensor in half precision, each number rounded to the nearest.
///
/// The result has the shape of `x`, which may be any.
pub fn halved<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::in_half_precision(x.into_dispatch()))
}

/// Whether IEEE half precision holds every value exactly, so that a weight kept in it is the same weight.
pub fn half_holds(values: &[f32]) -> bool {
    // A weight that it does not hold shows among its first values, most often.
    values
        .iter()
        .all(|&value| f16::from_f32(value).to_f32().to_bits() == value.to_bits())
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::tensor::DType;

    use super::*;
    use crate::test_support::{normal, same_on_any_number_of_threads, tensor, values};

    #[test]
    fn is_what_a_cast_gives() {
        for shape in [[1, 1], [3, 5], [1500, 512]] {
            let mut x = normal(8, shape[0] * shape[1], 3.0);
            x[0] = 1e6;
            let x = tensor(x, shape);
            let halves = halved(x.clone());
            assert_eq!(halves.dtype(), DType::F16);
            let widened = |x: Tensor<2>| values(x.cast(DType::F32));
            assert_eq!(widened(halves), widened(x.cast(DType::F16)));
        }
    }

    #[test]
    fn views_are_taken_in_their_order() {
        let x = tensor(normal(9, 30 * 70, 1.0), [30, 70]);
        let view = x.clone().transpose().narrow(0, 3, 40);
        let expected = values(view.clone().cast(DType::F16).cast(DType::F32));
        assert_eq!(values(halved(view).cast(DType::F32)), expected);
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        let x = tensor(normal(10, 1500 * 512, 1.0), [1500, 512]);
        same_on_any_number_of_threads(|| values(halved(x.clone()).cast(DType::F32)));
    }
}
