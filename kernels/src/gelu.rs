//! The exact GELU.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::backends::WhisperOps;

/// `x Φ(x)`, where `Φ` is the normal distribution function: the GELU of Whisper's MLPs and
/// convolutions (`torch.nn.functional.gelu` without approximation), not its tanh form.
///
/// On flex, in place if `x` is the only handle of its buffer. The result has the shape of `x`, which may be any.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::exact_gelu(x.into_dispatch()))
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::backends::plain;
    use crate::test_support::{
        largest_difference, normal, same_on_any_number_of_threads, tensor, values,
    };

    #[test]
    fn agrees_with_the_plain_expression() {
        for shape in [[1, 1], [3, 5], [7, 333], [150, 2048]] {
            let x = normal(7, shape[0] * shape[1], 2.0);
            let plain = plain::gelu::<Dispatch>(tensor(x.clone(), shape).into_dispatch());
            let plain: Vec<_> = values(Tensor::<2>::from_dispatch(plain))
                .into_iter()
                .map(f64::from)
                .collect();
            let difference = largest_difference(&values(gelu(tensor(x, shape))), &plain);
            assert!(difference < 1e-6, "{shape:?}: {difference:e}");
        }
    }

    #[test]
    fn shared_and_strided_tensors_stay_as_they_are() {
        let x = normal(8, 6 * 40_000, 1.0);
        let shared = tensor(x.clone(), [6, 40_000]);
        let in_place = values(gelu(tensor(x.clone(), [6, 40_000])));
        assert_eq!(values(gelu(shared.clone())), in_place);
        assert_eq!(
            values(gelu(shared.clone().transpose()).transpose()),
            in_place
        );
        let row = values(gelu(shared.clone().narrow(0, 4, 1)));
        assert_eq!(row, in_place[4 * 40_000..5 * 40_000]);
        let last = shared.clone().narrow(0, 5, 1);
        assert_eq!(values(shared), x);
        // The last handle: written in place, and only where the view lies.
        assert_eq!(values(gelu(last)), in_place[5 * 40_000..]);
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        same_on_any_number_of_threads(|| values(gelu(tensor(normal(9, 100_001, 3.0), [100_001]))));
    }
}
