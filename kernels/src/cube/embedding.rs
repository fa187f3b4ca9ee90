//! Tokens and positions as vectors in one kernel.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::Shape;
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::reduce::UNITS;
use super::{empty, line_of_cubes};

/// Where tokens lie: elements from a row to the next, and from a position to the next.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Strides {
    row: u32,
    position: u32,
}

/// An element a unit: `output` `[rows, n, n_state]`.
#[cube(launch_unchecked)]
fn embed_kernel<I: Int, E: Float>(
    tokens: &[I],
    token_embedding: &[E],
    positional_embedding: &[E],
    output: &mut [E],
    strides: Strides,
    count: u32,
    n: u32,
    n_state: u32,
    n_vocab: u32,
    offset: u32,
    #[define(I)] _id: ElemType,
    #[define(E)] _elem: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at < count as usize {
        let (n, n_state) = (n as usize, n_state as usize);
        let element = at % n_state;
        let vector = at / n_state;
        let (row, position) = (vector / n, vector % n);
        let token = tokens[row * strides.row as usize + position * strides.position as usize];
        // What is no token is read as one, rather than from anywhere.
        let token = min(u32::cast_from(token), n_vocab - 1) as usize;
        let of_token = f32::cast_from(token_embedding[token * n_state + element]);
        let place = (offset as usize + position) * n_state + element;
        output[at] = E::cast_from(of_token + f32::cast_from(positional_embedding[place]));
    }
}

/// See [`embed`](crate::embed).
pub(crate) fn embed(
    tokens: CubeTensor,
    token_embedding: CubeTensor,
    positional_embedding: CubeTensor,
    offset: usize,
) -> CubeTensor {
    let tables = [token_embedding, positional_embedding].map(into_contiguous);
    let [token_embedding, positional_embedding] = tables;
    let [rows, n] = tokens.shape().dims();
    let [n_vocab, n_state] = token_embedding.shape().dims();
    let shape = Shape::new([rows, n, n_state]);
    let output = empty(&token_embedding, shape, token_embedding.dtype);
    let count = rows * n * n_state;
    if count == 0 {
        return output;
    }
    let client = output.client.clone();
    let (id, elem) = (tokens.dtype, output.dtype);
    let strides = StridesLaunch::new(tokens.meta.strides[0] as u32, tokens.meta.strides[1] as u32);
    // SAFETY: each unit has its own element, which it checks to be there; tokens are kept inside the table.
    unsafe {
        embed_kernel::launch_unchecked(
            &client,
            line_of_cubes(count.div_ceil(UNITS)),
            CubeDim::new_1d(UNITS as u32),
            tokens.into_buffer_arg(),
            token_embedding.into_buffer_arg(),
            positional_embedding.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            strides,
            count as u32,
            n as u32,
            n_state as u32,
            n_vocab as u32,
            offset as u32,
            dtype_to_elem_type(id),
            dtype_to_elem_type(elem),
        );
    }
    output
}
