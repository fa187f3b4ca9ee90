//! How many parameters a network has.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Int, Tensor};

/// The number of parameters of a module, whatever numbers they are kept in: an integer counts as what it stands for, and its scale not
/// at all.
pub(super) fn count(module: &impl Module) -> usize {
    let mut counted = Counted::default();
    module.visit(&mut counted);
    counted.parameters
}

#[derive(Default)]
struct Counted {
    parameters: usize,
    path: Vec<String>,
}

impl Counted {
    fn is_in(&self, name: &str) -> bool {
        self.path.iter().any(|part| part == name)
    }
}

impl ModuleVisitor for Counted {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.is_in("scales") {
            self.parameters += param.lazy_shape().num_elements();
        }
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        // Of two integers the second is a part of the first.
        let of_each = if self.is_in("Refined") { 2 } else { 1 };
        self.parameters += param.lazy_shape().num_elements() / of_each;
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use whisper_weights::ModelDims;

    use crate::ComputeType;
    use crate::model::WhisperModel;

    #[test]
    fn they_are_as_many_in_any_numbers() {
        let (dims, device) = (ModelDims::of("tiny").unwrap(), Device::flex());
        for compute_type in [ComputeType::Float32, ComputeType::Int16, ComputeType::Int8] {
            let numbers = compute_type.numbers_on(&device).unwrap();
            let model = WhisperModel::random_of(&dims, &device, numbers.weights);
            // 37,184,640 with the encoder's table of positions, which is none of openai/whisper's parameters.
            assert_eq!(model.parameters(), 37_760_640, "{compute_type}");
        }
    }
}
