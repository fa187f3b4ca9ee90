//! Tokens and positions as vectors in one kernel.

use burn::backend::TensorMetadata;
use burn::backend::cubecl::dtype_to_elem_type;
use burn::tensor::Shape;
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::reduce::UNITS;
use super::{empty, line_of_cubes, with_contiguous_rows};

/// Where tokens lie: elements from a row to the next, and from a position to the next.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Strides {
    row: u32,
    position: u32,
}

/// The tables: elements from one vector to the next, and how many there are of tokens.
#[derive(CubeLaunch, CubeType, Clone, Copy)]
struct Tables {
    of_token: u32,
    of_position: u32,
    n_vocab: u32,
}

impl Tables {
    fn launch(token_embedding: &CubeTensor, positional_embedding: &CubeTensor) -> TablesLaunch {
        TablesLaunch::new(
            token_embedding.meta.strides[0] as u32,
            positional_embedding.meta.strides[0] as u32,
            token_embedding.shape()[0] as u32,
        )
    }
}

/// An element a unit: `output` `[rows, n, n_state]`.
#[cube(launch_unchecked)]
fn embed_kernel<I: Int, E: Float>(
    tokens: &[I],
    token_embedding: &[E],
    positional_embedding: &[E],
    output: &mut [E],
    strides: Strides,
    tables: Tables,
    count: u32,
    n: u32,
    n_state: u32,
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
        output[at] = sum_of_vectors::<E>(
            u32::cast_from(token),
            offset as usize + position,
            element,
            token_embedding,
            positional_embedding,
            &tables,
        );
    }
}

/// An element of a token's vector and its position's.
#[cube]
fn sum_of_vectors<E: Float>(
    token: u32,
    position: usize,
    element: usize,
    token_embedding: &[E],
    positional_embedding: &[E],
    tables: &Tables,
) -> E {
    // What is no token is read as one, rather than from anywhere.
    let token = min(token, tables.n_vocab - 1) as usize;
    let of_token = f32::cast_from(token_embedding[token * tables.of_token as usize + element]);
    let place = position * tables.of_position as usize + element;
    let of_position = f32::cast_from(positional_embedding[place]);
    E::cast_from(of_token + of_position)
}

/// An element a unit of the newest tokens, `output` `[rows, 1, n_state]`; `progress` begins with their position and their number.
#[cube(launch_unchecked)]
fn embed_newest_kernel<E: Float>(
    sampled: &[i32],
    progress: &[i32],
    token_embedding: &[E],
    positional_embedding: &[E],
    output: &mut [E],
    tables: Tables,
    count: u32,
    capacity: u32,
    stride: u32,
    n_state: u32,
    n_ctx: u32,
    #[define(E)] _elem: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at < count as usize {
        let n_state = n_state as usize;
        let position = min(progress[0usize], n_ctx as i32 - 1) as usize;
        let newest = max(min(progress[1usize], capacity as i32) - 1, 0) as usize;
        let token = sampled[at / n_state * stride as usize + newest];
        output[at] = sum_of_vectors::<E>(
            token as u32,
            position,
            at % n_state,
            token_embedding,
            positional_embedding,
            &tables,
        );
    }
}

/// See [`embed_newest`](crate::embed_newest).
pub(crate) fn embed_newest(
    sampled: CubeTensor,
    progress: CubeTensor,
    token_embedding: CubeTensor,
    positional_embedding: CubeTensor,
) -> CubeTensor {
    let tables = [token_embedding, positional_embedding].map(with_contiguous_rows);
    let [token_embedding, positional_embedding] = tables;
    let [rows, capacity] = sampled.shape().dims();
    let n_state = token_embedding.shape()[1];
    let n_ctx = positional_embedding.shape()[0];
    let shape = Shape::new([rows, 1, n_state]);
    let output = empty(&token_embedding, shape, token_embedding.dtype);
    let count = rows * n_state;
    if count == 0 {
        return output;
    }
    let client = output.client.clone();
    let tables = Tables::launch(&token_embedding, &positional_embedding);
    let elem = dtype_to_elem_type(output.dtype);
    let stride = sampled.meta.strides[0];
    // SAFETY: each unit has its own element, which it checks to be there; tokens and positions are kept inside the tables.
    unsafe {
        embed_newest_kernel::launch_unchecked(
            &client,
            line_of_cubes(count.div_ceil(UNITS)),
            CubeDim::new_1d(UNITS as u32),
            sampled.into_buffer_arg(),
            progress.into_buffer_arg(),
            token_embedding.into_buffer_arg(),
            positional_embedding.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            tables,
            count as u32,
            capacity as u32,
            stride as u32,
            n_state as u32,
            n_ctx as u32,
            elem,
        );
    }
    output
}

/// See [`embed`](crate::embed).
pub(crate) fn embed(
    tokens: CubeTensor,
    token_embedding: CubeTensor,
    positional_embedding: CubeTensor,
    offset: usize,
) -> CubeTensor {
    let tables = [token_embedding, positional_embedding].map(with_contiguous_rows);
    let [token_embedding, positional_embedding] = tables;
    let [rows, n] = tokens.shape().dims();
    let n_state = token_embedding.shape()[1];
    let shape = Shape::new([rows, n, n_state]);
    let output = empty(&token_embedding, shape, token_embedding.dtype);
    let count = rows * n * n_state;
    if count == 0 {
        return output;
    }
    let client = output.client.clone();
    let tables = Tables::launch(&token_embedding, &positional_embedding);
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
            tables,
            count as u32,
            n as u32,
            n_state as u32,
            offset as u32,
            dtype_to_elem_type(id),
            dtype_to_elem_type(elem),
        );
    }
    output
}
