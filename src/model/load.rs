//! Fills a module tree from a checkpoint: each parameter's path is its name there.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};
use whisper_weights::Checkpoint;

use crate::{Error, Result};

/// Replaces every parameter of `module` by the checkpoint's tensor of the same name, as `dtype`.
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
    dtype: FloatDType,
) -> Result<M> {
    let mut mapper = CheckpointMapper {
        checkpoint,
        device,
        dtype: dtype.into(),
        path: Vec::new(),
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
    dtype: DType,
    path: Vec<String>,
    error: Option<Error>,
}

impl CheckpointMapper<'_> {
    fn tensor<const D: usize>(&self, expected: &[usize]) -> Result<Tensor<D>> {
        let name = state_dict_name(&self.path);
        let view = self.checkpoint.tensor(&name)?;
        if view.shape != expected {
            return Err(Error::Model(format!(
                "tensor '{name}' has shape {:?}, the model's dimensions demand {expected:?}",
                view.shape
            )));
        }
        // Rounded here, so that what goes to the device is no larger than what stays there.
        let data = TensorData::new(view.to_f32(), view.shape).convert_dtype(self.dtype);
        // What is copied need not stay in memory: the map would else grow to the whole file.
        self.checkpoint.release_pages();
        Ok(Tensor::from_data(data, (self.device, self.dtype)))
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
        match self.tensor(&param.lazy_shape()) {
            Ok(tensor) => Param::initialized(param.id, tensor),
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }
}

/// A parameter's path in openai/whisper's names: Burn's layer norms say gamma and beta, and the two
/// layers of the MLP are numbered there.
fn state_dict_name(path: &[String]) -> String {
    let translate = |part: &String| match part.as_str() {
        "gamma" => "weight".to_owned(),
        "beta" => "bias".to_owned(),
        "up" => "0".to_owned(),
        "down" => "2".to_owned(),
        other => other.to_owned(),
    };
    let parts: Vec<String> = path.iter().map(translate).collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_openai_names() {
        let path = |s: &str| -> Vec<String> { s.split('/').map(str::to_owned).collect() };
        assert_eq!(
            state_dict_name(&path("encoder/blocks/3/mlp/down/weight")),
            "encoder.blocks.3.mlp.2.weight"
        );
        assert_eq!(
            state_dict_name(&path("decoder/ln/gamma")),
            "decoder.ln.weight"
        );
    }
}
