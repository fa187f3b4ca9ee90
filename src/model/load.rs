//! Fills a module tree from a checkpoint: each parameter's path is its name there.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Int, Shape, Tensor, TensorData, f16};
use rayon::prelude::*;
use whisper_kernels::{IntegerBits, QuantisedWeight, RefinedWeight};
use whisper_weights::{Checkpoint, TensorView};

use crate::compute_type::Numbers;
use crate::{Error, Result};

/// Replaces every parameter of `module` by the checkpoint's tensor of the same name, in the numbers asked for.
///
/// Parameters are lazy, so the random ones that they replace are never made; each tensor is read from
/// the memory map, widened, and handed to the device before the next one is touched.
///
/// # Errors
///
/// The first tensor that is missing, unreadable or of another shape.
pub(super) fn load<M: Module>(
    module: M,
    checkpoint: &Checkpoint,
    device: &Device,
    numbers: Numbers,
) -> Result<M> {
    let mut mapper = CheckpointMapper {
        checkpoint,
        device,
        numbers,
        path: Vec::new(),
        scales: None,
        error: None,
    };
    let module = module.map(&mut mapper);
    match mapper.error {
        None => Ok(module),
        Some(error) => Err(error),
    }
}

struct CheckpointMapper<'a> {
    checkpoint: &'a Checkpoint,
    device: &'a Device,
    numbers: Numbers,
    path: Vec<String>,
    /// Those of the weight that was quantised last.
    scales: Option<Tensor<1>>,
    error: Option<Error>,
}

impl CheckpointMapper<'_> {
    /// The checkpoint's tensor for the current path, which must have a shape.
    fn view(&self, expected: &[usize]) -> Result<TensorView<'_>> {
        let name = state_dict_name(&self.path);
        let view = self.checkpoint.tensor(&name)?;
        if view.shape != expected {
            return Err(Error::Model(format!(
                "tensor '{name}' has shape {:?}, the model's dimensions demand {expected:?}",
                view.shape
            )));
        }
        Ok(view)
    }

    fn tensor<const D: usize>(&self, expected: &[usize]) -> Result<Tensor<D>> {
        let view = self.view(expected)?;
        let is_weight = self.path.last().is_some_and(|name| name == FLOAT_WEIGHT);
        let data = match (is_weight && self.numbers.keeps_half()).then(|| halves(&view)) {
            Some(Some(halves)) => TensorData::new(halves, view.shape),
            // Rounded here, so that what goes to the device is no larger than what stays there.
            _ => {
                let values = view.to_f32();
                let dtype = match is_weight {
                    true => self.numbers.weight_dtype(&values),
                    false => self.numbers.states.into(),
                };
                TensorData::new(values, view.shape).convert_dtype(dtype)
            }
        };
        // What is copied need not stay in memory: the map would else grow to the whole file.
        self.checkpoint.release_pages();
        let dtype = data.dtype();
        Ok(Tensor::from_data(data, (self.device, dtype)))
    }

    /// The integers of a weight, of 16 bits or, by the rank, twice of 8.
    fn quantised<const D: usize>(&mut self, expected: &[usize]) -> Result<Tensor<D, Int>> {
        let &[.., outputs, inputs] = expected else {
            let name = state_dict_name(&self.path);
            return Err(Error::Model(format!("tensor '{name}' is no matrix")));
        };
        let shape = [outputs, inputs];
        let view = self.view(&shape)?;
        let whole = match view.rows(0..outputs) {
            Some(_) => Vec::new(),
            None => view.to_f32(),
        };
        let rows = |rows: std::ops::Range<usize>| match view.rows(rows.clone()) {
            Some(view) => view.to_f32(),
            None => whole[rows.start * inputs..rows.end * inputs].to_vec(),
        };
        let (values, scales) = if D == 2 {
            let bits = IntegerBits::Sixteen;
            let quantised = QuantisedWeight::from_rows(rows, shape, bits, self.device);
            (
                quantised.values.reshape(Shape::from(expected.to_vec())),
                quantised.scales,
            )
        } else {
            let refined = RefinedWeight::from_rows(rows, shape, self.device);
            (
                refined.values.reshape(Shape::from(expected.to_vec())),
                refined.scales,
            )
        };
        self.checkpoint.release_pages();
        self.scales = Some(scales);
        Ok(values)
    }
}

impl ModuleMapper for CheckpointMapper<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return param;
        }
        // The scales of a quantised weight are made with it.
        let scales = (self.scales.take()).map(|scales| Ok(scales.reshape(param.lazy_shape())));
        match scales.unwrap_or_else(|| self.tensor(&param.lazy_shape())) {
            Ok(tensor) => Param::initialized(param.id, tensor),
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        if self.error.is_some() {
            return param;
        }
        match self.quantised(&param.lazy_shape()) {
            Ok(values) => Param::initialized(param.id, values),
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }
}

/// The elements of a tensor that is in half precision as it is. Most of the work is done by the system, which clears the memory page by
/// page as it is written to, so all threads share it.
fn halves(view: &TensorView<'_>) -> Option<Vec<f16>> {
    const AT_ONCE: usize = 64 * 1024;
    if view.dtype != whisper_weights::DType::F16 {
        return None;
    }
    let mut halves = bytemuck::zeroed_vec::<f16>(view.bytes.len() / 2);
    (halves.par_chunks_mut(AT_ONCE))
        .zip(view.bytes.par_chunks(2 * AT_ONCE))
        .for_each(|(halves, bytes)| {
            for (half, bytes) in halves.iter_mut().zip(bytes.as_chunks().0) {
                *half = f16::from_le_bytes(*bytes);
            }
        });
    Some(halves)
}

/// What the path of a weight of floating-point numbers ends with: its variant of [`Weight`](super::weight::Weight).
const FLOAT_WEIGHT: &str = "Float";

/// A parameter's path in openai/whisper's names: Burn's layer norms say gamma and beta, the two
/// layers of the MLP are numbered there, and a weight is one tensor whatever it is made of.
fn state_dict_name(path: &[String]) -> String {
    let translate = |part: &String| match part.as_str() {
        "gamma" => "weight".to_owned(),
        "beta" => "bias".to_owned(),
        "up" => "0".to_owned(),
        "down" => "2".to_owned(),
        other => other.to_owned(),
    };
    let of_weight =
        |part: &&String| [FLOAT_WEIGHT, "Integer", "Refined", "values"].contains(&part.as_str());
    let parts = path.iter().filter(|part| !of_weight(part));
    let parts: Vec<String> = parts.map(translate).collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_openai_names() {
        let path = |s: &str| -> Vec<String> { s.split('/').map(str::to_owned).collect() };
        assert_eq!(
            state_dict_name(&path("encoder/blocks/3/mlp/down/weight/Float")),
            "encoder.blocks.3.mlp.2.weight"
        );
        assert_eq!(
            state_dict_name(&path("decoder/token_embedding/weight/Integer/values")),
            "decoder.token_embedding.weight"
        );
        assert_eq!(
            state_dict_name(&path("decoder/ln/gamma")),
            "decoder.ln.weight"
        );
    }
}
