//! How many products of 16-bit integers the chip makes where nothing else is to be done.

use std::hint::black_box;

use super::words::{self, MOST_LANES, PAIR, Words, WordsOp};

/// Makes tiles of products of so many pairs, whose operands lie in the first-level cache; gives how many products and sums that was.
pub(crate) fn products_of_pairs(steps: usize) -> f64 {
    // SAFETY: the operation needs nothing but the instruction set.
    unsafe { words::dispatch(ProductsOfPairs { steps }) }
}

/// The shape of a tile, as [`panels`](super::panels) has it with the fewest registers.
const ROWS: usize = 6;
const VECTORS: usize = 2;

/// Pairs that the operands hold: 8 KiB with the widest vectors.
const PAIRS: usize = 64;

struct ProductsOfPairs {
    steps: usize,
}

impl WordsOp for ProductsOfPairs {
    type Output = f64;

    #[inline(always)]
    unsafe fn eval<W: Words>(self) -> f64 {
        let weight = black_box([[0x0002_0003_i32; VECTORS * MOST_LANES]; PAIRS]);
        let x = black_box([[0x0005_0007_i32; ROWS]; PAIRS]);
        // SAFETY: each row of the weight holds the vectors that are loaded; the caller vouches for the instruction set.
        unsafe {
            let mut sums = [[W::zero(); VECTORS]; ROWS];
            for step in 0..self.steps {
                let (weight, x) = (&weight[step % PAIRS], &x[step % PAIRS]);
                let w: [W::Vector; VECTORS] =
                    std::array::from_fn(|v| W::load(weight.as_ptr().add(v * W::LANES)));
                for (sums, &x) in sums.iter_mut().zip(x) {
                    let x = W::splat(x);
                    for (sum, w) in sums.iter_mut().zip(w) {
                        *sum = W::add_products(*sum, x, w);
                    }
                }
            }
            let all = sums.into_iter().flatten();
            black_box(all.fold(0_i32, |all, sum| all.wrapping_add(W::sum(sum))));
        }
        (2 * PAIR * self.steps * ROWS * VECTORS * W::LANES) as f64
    }
}
