//! Multi-head attention over the projected states.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::backends::WhisperOps;

/// The width of a head in every Whisper model.
pub const HEAD_WIDTH: usize = 64;

/// What [`attention`] needs to know beside its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionOptions {
    /// Heads, consecutive slices of the state; divides `n_state`.
    pub n_head: usize,
    /// Valid positions of the keys and values, from the first on; at least 1.
    pub kv_len: usize,
    /// Query `i` stands at position `kv_len - n_query + i` and sees the keys up to its own
    /// position. Otherwise it sees all `kv_len`.
    pub causal: bool,
    /// Whether scores of many queries may be products of queries and keys that are rounded to 16-bit integers, as of
    /// [`quantised_linear`](crate::quantised_linear), which a CPU makes more of. Flex alone does it.
    pub integer_scores: bool,
}

/// Scaled dot-product attention, `softmax(Q K^T / sqrt(n_state / n_head)) V` for every head
/// (openai/whisper, `model.py`, `MultiHeadAttention.qkv_attention`).
///
/// `query` is `[batch, n_query, n_state]`; `key` and `value` are `[batch, n_ctx, n_state]`, such as
/// a cache of full length of which `options.kv_len` positions hold something: the rest is not read.
/// Views into larger tensors are used as they lie. On flex keys and values may be in half precision beside `f32`: they are widened as they
/// are read. The result is `[batch, n_query, n_state]`.
///
/// # Panics
///
/// If the shapes do not fit each other or the options.
pub fn attention(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    options: AttentionOptions,
) -> Tensor<3> {
    let [batch, n_query, n_state] = query.dims();
    let [key_batch, n_ctx, key_state] = key.dims();
    let AttentionOptions {
        n_head,
        kv_len,
        causal,
        ..
    } = options;
    assert_eq!(
        key.dims(),
        value.dims(),
        "attention: shapes of keys and values"
    );
    assert_eq!(
        [key_batch, key_state],
        [batch, n_state],
        "attention: batch and state of the keys"
    );
    assert!(
        n_head > 0 && n_state > 0 && n_state.is_multiple_of(n_head),
        "attention: {n_head} heads do not divide a state of {n_state}"
    );
    assert!(
        (1..=n_ctx).contains(&kv_len),
        "attention: kv_len is {kv_len}, of {n_ctx} positions"
    );
    assert!(
        !causal || n_query <= kv_len,
        "attention: {n_query} causal queries of {kv_len} positions"
    );
    Tensor::from_dispatch(Dispatch::head_attention(
        query.into_dispatch(),
        key.into_dispatch(),
        value.into_dispatch(),
        options,
    ))
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::backends::plain;
    use crate::test_support::{
        largest_difference, normal, same_on_any_number_of_threads, tensor, values,
    };

    #[derive(Clone, Copy, Debug)]
    struct Case {
        batch: usize,
        n_query: usize,
        n_ctx: usize,
        n_state: usize,
        /// Deviation of the queries and keys.
        deviation: f32,
        options: AttentionOptions,
    }

    impl Case {
        fn new(n_query: usize, n_ctx: usize, kv_len: usize, causal: bool) -> Self {
            let options = AttentionOptions {
                n_head: 3,
                kv_len,
                causal,
                integer_scores: false,
            };
            Self {
                batch: 1,
                n_query,
                n_ctx,
                n_state: 3 * 64,
                deviation: 1.0,
                options,
            }
        }

        fn batch(self, batch: usize) -> Self {
            Self { batch, ..self }
        }

        fn head_width(self, width: usize) -> Self {
            Self {
                n_state: self.options.n_head * width,
                ..self
            }
        }

        fn deviation(self, deviation: f32) -> Self {
            Self { deviation, ..self }
        }

        /// Query, key, value; the positions past `kv_len` hold NaN, which must not be read.
        fn inputs(self) -> [Vec<f32>; 3] {
            let Self {
                batch,
                n_query,
                n_ctx,
                n_state,
                deviation,
                ..
            } = self;
            let query = normal(1, batch * n_query * n_state, deviation);
            let mut cache = [2, 3].map(|seed| {
                normal(
                    seed,
                    batch * n_ctx * n_state,
                    if seed == 2 { deviation } else { 1.0 },
                )
            });
            for cache in &mut cache {
                for sequence in cache.chunks_mut(n_ctx * n_state) {
                    sequence[self.options.kv_len * n_state..].fill(f32::NAN);
                }
            }
            let [key, value] = cache;
            [query, key, value]
        }

        fn tensors(self) -> [Tensor<3>; 3] {
            let [query, key, value] = self.inputs();
            [
                tensor(query, [self.batch, self.n_query, self.n_state]),
                tensor(key, [self.batch, self.n_ctx, self.n_state]),
                tensor(value, [self.batch, self.n_ctx, self.n_state]),
            ]
        }

        fn run(self) -> Vec<f32> {
            let [query, key, value] = self.tensors();
            values(attention(query, key, value, self.options))
        }

        fn plain(self) -> Vec<f32> {
            let [query, key, value] = self.tensors().map(Tensor::into_dispatch);
            let context = plain::attention::<Dispatch>(query, key, value, self.options);
            values(Tensor::<3>::from_dispatch(context))
        }

        fn in_f64(self) -> Vec<f64> {
            let Self {
                batch,
                n_query,
                n_ctx,
                n_state,
                ..
            } = self;
            let AttentionOptions {
                n_head,
                kv_len,
                causal,
                ..
            } = self.options;
            let [query, key, value] = self.inputs();
            let width = n_state / n_head;
            let mut context = vec![0.0; batch * n_query * n_state];
            for b in 0..batch {
                for q in 0..n_query {
                    let visible = if causal {
                        kv_len - n_query + q + 1
                    } else {
                        kv_len
                    };
                    for column in (0..n_state).step_by(width) {
                        let query = &query[(b * n_query + q) * n_state + column..][..width];
                        let at = |k: usize| (b * n_ctx + k) * n_state + column;
                        let scores: Vec<f64> = (0..visible)
                            .map(|k| {
                                let products = query.iter().zip(&key[at(k)..][..width]);
                                let dot: f64 =
                                    products.map(|(q, k)| f64::from(*q) * f64::from(*k)).sum();
                                dot / (width as f64).sqrt()
                            })
                            .collect();
                        let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                        let sum: f64 = scores.iter().map(|s| (s - max).exp()).sum();
                        let context = &mut context[(b * n_query + q) * n_state + column..];
                        for (k, score) in scores.iter().enumerate() {
                            let weight = (score - max).exp() / sum;
                            for (c, v) in context[..width].iter_mut().zip(&value[at(k)..]) {
                                *c += weight * f64::from(*v);
                            }
                        }
                    }
                }
            }
            context
        }
    }

    fn cases() -> Vec<Case> {
        let mut cases = vec![
            Case::new(1, 1, 1, true),
            Case::new(1, 448, 448, true),
            Case::new(1500, 1500, 1500, false),
            Case::new(224, 448, 224, true),
        ];
        for n_query in [1, 2, 3, 5, 8, 9, 27] {
            for causal in [false, true] {
                cases.push(Case::new(n_query, 61, 61, causal));
                cases.push(Case::new(n_query, 448, 53, causal).batch(2));
                cases.push(Case::new(n_query, 99, 37, causal).head_width(20).batch(5));
                cases.push(Case::new(n_query, 40, 27, causal).head_width(7));
                cases.push(Case::new(n_query, 40, 39, causal).head_width(136));
            }
        }
        cases
    }

    #[test]
    fn agrees_with_f64() {
        for case in cases() {
            let difference = largest_difference(&case.run(), &case.in_f64());
            assert!(difference < 3e-6, "{case:?}: {difference:e}");
        }
    }

    #[test]
    fn agrees_with_the_plain_expression() {
        for case in cases() {
            let plain: Vec<f64> = case.plain().into_iter().map(f64::from).collect();
            let difference = largest_difference(&case.run(), &plain);
            assert!(difference < 5e-6, "{case:?}: {difference:e}");
        }
    }

    #[test]
    fn integer_scores_are_close_to_those_of_floats() {
        for mut case in cases() {
            let floats: Vec<f64> = case.run().into_iter().map(f64::from).collect();
            case.options.integer_scores = true;
            let difference = largest_difference(&case.run(), &floats);
            assert!(difference < 2e-3, "{case:?}: {difference:e}");
        }
    }

    #[test]
    fn large_scores_neither_overflow_nor_lose_their_order() {
        for n_query in [1, 5, 40] {
            // Scores have deviation 100: most weights vanish. What remains of the error is that of
            // the scores themselves, some 1e-5 for a hundred.
            let case = Case::new(n_query, 300, 300, false).deviation(10.0);
            let difference = largest_difference(&case.run(), &case.in_f64());
            assert!(difference < 3e-4, "{case:?}: {difference:e}");
        }
    }

    #[test]
    fn views_are_read_as_they_lie() {
        // One projection for queries, keys and values, in a batch of two.
        let case = Case::new(11, 11, 11, true).batch(2);
        let joint = Tensor::cat(case.tensors().to_vec(), 2);
        let n_state = case.n_state;
        let [query, key, value] = [0, 1, 2].map(|i| joint.clone().narrow(2, i * n_state, n_state));
        assert_eq!(
            values(attention(query, key, value, case.options)),
            case.run()
        );

        let [query, key, value] = case.tensors();
        let key = key.swap_dims(1, 2).cat_and_split().swap_dims(1, 2);
        assert_eq!(
            values(attention(query, key, value, case.options)),
            case.run()
        );
    }

    /// Makes the tensor's elements lie in the order of its dimensions.
    trait Materialise {
        fn cat_and_split(self) -> Self;
    }

    impl Materialise for Tensor<3> {
        fn cat_and_split(self) -> Self {
            let length = self.dims()[0];
            Tensor::cat(vec![self.clone(), self], 0).narrow(0, 0, length)
        }
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        same_on_any_number_of_threads(|| Case::new(1, 1500, 1500, false).batch(5).run());
        same_on_any_number_of_threads(|| Case::new(200, 448, 300, true).batch(2).run());
        let mut case = Case::new(200, 448, 300, false).batch(2);
        case.options.integer_scores = true;
        same_on_any_number_of_threads(|| case.run());
    }

    #[test]
    fn half_precision_runs_the_plain_expression() {
        let case = Case::new(4, 30, 30, false);
        let [query, key, value] = case
            .tensors()
            .map(|tensor| tensor.cast(burn::tensor::DType::F16));
        let context = attention(query, key, value, case.options);
        assert_eq!(context.dtype(), burn::tensor::DType::F16);
        let context = values(context.cast(burn::tensor::DType::F32));
        assert!(largest_difference(&context, &case.in_f64()) < 1e-2);
    }

    #[test]
    fn keys_and_values_in_half_precision_give_what_they_give_widened() {
        for case in cases() {
            let [query, key, value] = case.tensors();
            let [key, value] = [key, value].map(|x| x.cast(burn::tensor::DType::F16));
            let [key2, value2] = [&key, &value].map(|x| x.clone().cast(burn::tensor::DType::F32));
            let widened = attention(query.clone(), key2, value2, case.options);
            let halves = attention(query, key, value, case.options);
            assert_eq!(values(halves), values(widened), "{case:?}");
        }
    }

    #[test]
    #[should_panic(expected = "kv_len is 31, of 30 positions")]
    fn a_cache_that_is_too_short_is_refused() {
        let [query, key, value] = Case::new(4, 30, 30, false).tensors();
        let options = AttentionOptions {
            n_head: 3,
            kv_len: 31,
            causal: false,
            integer_scores: false,
        };
        attention(query, key, value, options);
    }
}
