//! Writes what `torch.save` writes: a zip archive of stored members, with a pickle of protocol 2 that says what they are.

use whisper_weights::{DType, ModelDims};

use super::pieces::{Piece, Tensor};

/// OpenAI's file: the dimensions beside the weights.
pub fn openai(dims: &ModelDims, tensors: Vec<Tensor>) -> Vec<Piece> {
    let mut pickle = Pickle::new();
    pickle.begin_dict();
    pickle.text("dims");
    pickle.begin_dict();
    for (name, value) in [
        ("n_mels", dims.n_mels),
        ("n_vocab", dims.n_vocab),
        ("n_audio_ctx", dims.n_audio_ctx),
        ("n_audio_state", dims.n_audio_state),
        ("n_audio_head", dims.n_audio_head),
        ("n_audio_layer", dims.n_audio_layer),
        ("n_text_ctx", dims.n_text_ctx),
        ("n_text_state", dims.n_text_state),
        ("n_text_head", dims.n_text_head),
        ("n_text_layer", dims.n_text_layer),
    ] {
        pickle.text(name);
        pickle.number(value);
    }
    pickle.end_dict();
    pickle.text("model_state_dict");
    let storages = pickle.state_dict(tensors);
    pickle.end_dict();
    archive(pickle.finish(), storages)
}

/// A `pytorch_model.bin`: the weights alone, by the names that they are given.
pub fn state_dict(tensors: Vec<Tensor>) -> Vec<Piece> {
    let mut pickle = Pickle::new();
    let storages = pickle.state_dict(tensors);
    archive(pickle.finish(), storages)
}

/// A pickle in the making: opcodes of protocol 2.
pub struct Pickle(pub Vec<u8>);

impl Pickle {
    pub fn new() -> Self {
        Self(b"\x80\x02".to_vec())
    }

    fn begin_dict(&mut self) {
        self.0.extend(b"}(");
    }

    fn end_dict(&mut self) {
        self.0.push(b'u');
    }

    pub fn text(&mut self, text: &str) {
        self.0.push(b'X');
        self.0.extend((text.len() as u32).to_le_bytes());
        self.0.extend(text.as_bytes());
    }

    fn number(&mut self, number: usize) {
        self.0.push(b'J');
        self.0.extend((number as i32).to_le_bytes());
    }

    fn numbers(&mut self, numbers: &[usize]) {
        self.0.push(b'(');
        for &number in numbers {
            self.number(number);
        }
        self.0.push(b't');
    }

    fn global(&mut self, module: &str, name: &str) {
        self.0.extend(format!("c{module}\n{name}\n").as_bytes());
    }

    /// The dictionary of the tensors. Gives their storages.
    fn state_dict(&mut self, tensors: Vec<Tensor>) -> Vec<Piece> {
        self.begin_dict();
        let mut storages = Vec::new();
        for (index, tensor) in tensors.into_iter().enumerate() {
            self.text(&tensor.name);
            let count: usize = tensor.shape.iter().product();
            let mut stride = vec![1; tensor.shape.len()];
            for axis in (0..stride.len().saturating_sub(1)).rev() {
                stride[axis] = stride[axis + 1] * tensor.shape[axis + 1];
            }
            self.tensor(index, count, &tensor.shape, &stride, tensor.dtype);
            storages.push(tensor.data);
        }
        self.end_dict();
        storages
    }

    /// A call that rebuilds a tensor from the storage of `count` elements called `index`.
    pub fn tensor(
        &mut self,
        index: usize,
        count: usize,
        shape: &[usize],
        stride: &[usize],
        dtype: DType,
    ) {
        self.global("torch._utils", "_rebuild_tensor_v2");
        self.0.extend(b"((");
        self.text("storage");
        let kind = match dtype {
            DType::F32 => "FloatStorage",
            DType::F16 => "HalfStorage",
            DType::BF16 => "BFloat16Storage",
            other => panic!("no such storage in these tests: {other}"),
        };
        self.global("torch", kind);
        self.text(&index.to_string());
        self.text("cpu");
        self.number(count);
        self.0.extend(b"tQ");
        self.number(0);
        self.numbers(shape);
        self.numbers(stride);
        self.0.push(0x89);
        self.global("collections", "OrderedDict");
        self.0.extend(b")RtR");
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.0.push(b'.');
        self.0
    }
}

/// The archive of a pickle and its storages. Checksums are left out, as torch allows.
pub fn archive(pickle: Vec<u8>, storages: Vec<Piece>) -> Vec<Piece> {
    let mut members = vec![
        ("archive/data.pkl".to_string(), Piece::Bytes(pickle)),
        ("archive/version".to_string(), Piece::Bytes(b"3\n".to_vec())),
    ];
    for (index, storage) in storages.into_iter().enumerate() {
        members.push((format!("archive/data/{index}"), storage));
    }
    zip(members)
}

/// A zip archive of stored members.
pub fn zip(members: Vec<(String, Piece)>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut directory = Vec::new();
    let (mut offset, count) = (0u64, members.len() as u16);
    for (name, data) in members {
        let length = u32::try_from(data.len()).unwrap();
        // Version, flags, method, time, date, checksum, two lengths, length of the name and of what else there is.
        let mut about = vec![20, 0, 0, 0, 0, 0, 0, 0, 33, 0, 0, 0, 0, 0];
        about.extend(length.to_le_bytes());
        about.extend(length.to_le_bytes());
        about.extend((name.len() as u16).to_le_bytes());
        about.extend([0, 0]);
        let local = [b"PK\x03\x04".as_slice(), &about, name.as_bytes()].concat();
        directory.extend(b"PK\x01\x02");
        directory.extend([20, 0]);
        directory.extend(&about);
        // Comment, disk, attributes.
        directory.extend([0; 10]);
        directory.extend(u32::try_from(offset).unwrap().to_le_bytes());
        directory.extend(name.as_bytes());
        offset += local.len() as u64 + u64::from(length);
        pieces.push(Piece::Bytes(local));
        pieces.push(data);
    }
    let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
    end.extend(count.to_le_bytes());
    end.extend(count.to_le_bytes());
    end.extend((directory.len() as u32).to_le_bytes());
    end.extend(u32::try_from(offset).unwrap().to_le_bytes());
    end.extend([0, 0]);
    pieces.push(Piece::Bytes(directory));
    pieces.push(Piece::Bytes(end));
    pieces
}
