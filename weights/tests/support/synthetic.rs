//! A Whisper model of a few kilobytes, written in each format by code that shares nothing with
//! the readers under test.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use half::{bf16, f16};
use serde_json::json;
use whisper_weights::{DType, ModelDims};

pub const DIMS: ModelDims = ModelDims {
    n_mels: 4,
    n_audio_ctx: 6,
    n_audio_state: 4,
    n_audio_head: 2,
    n_audio_layer: 2,
    n_vocab: 11,
    n_text_ctx: 5,
    n_text_state: 4,
    n_text_head: 4,
    n_text_layer: 1,
};

/// A tensor as written: shape and values.
pub type Values = (Vec<usize>, Vec<f32>);

/// Wide enough for ggml's blocks of 32 values.
pub const WIDE: ModelDims = ModelDims {
    n_audio_state: 32,
    n_text_state: 32,
    ..DIMS
};

/// The model's tensors by canonical name.
pub struct Synthetic {
    pub dims: ModelDims,
    pub tensors: BTreeMap<String, Values>,
}

impl Synthetic {
    /// Values that every stored type holds exactly, and that differ between tensors.
    pub fn new() -> Self {
        Self::of(DIMS)
    }

    /// The same with other dimensions.
    pub fn of(dims: ModelDims) -> Self {
        let mut tensors = BTreeMap::new();
        let mut state = 12345u32;
        whisper_weights::for_each_tensor(&dims, |name, shape| {
            let count = shape.iter().product();
            let values = (0..count).map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 25) as f32 / 64.0 - 1.0
            });
            tensors.insert(name, (shape, values.collect()));
        });
        Self { dims, tensors }
    }

    /// Shapes without values.
    pub fn shapes(dims: ModelDims) -> Self {
        let mut tensors = BTreeMap::new();
        whisper_weights::for_each_tensor(&dims, |name, shape| {
            tensors.insert(name, (shape, Vec::new()));
        });
        Self { dims, tensors }
    }

    /// A CTranslate2 `model.bin`.
    pub fn ctranslate2(&self, dtype: DType) -> Vec<u8> {
        Ct2Writer::default().with_model(self, dtype).finish()
    }

    /// A safetensors file in transformers' names.
    pub fn safetensors(&self, dtype: DType) -> Vec<u8> {
        safetensors(
            self.tensors
                .iter()
                .map(|(name, values)| (hugging_face(name), values)),
            dtype,
        )
    }

    /// A folder as CTranslate2's converter leaves it.
    pub fn write_ctranslate2_folder(&self, folder: &Path, dtype: DType) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("model.bin"), self.ctranslate2(dtype)).unwrap();
        let config = json!({
            "alignment_heads": [[0, 1], [0, 3]], "suppress_ids": [1, 2],
            "suppress_ids_begin": [3], "lang_ids": [7, 8]
        });
        fs::write(folder.join("config.json"), config.to_string()).unwrap();
        fs::write(folder.join("tokenizer.json"), tokenizer()).unwrap();
    }

    /// A folder as transformers saves it.
    pub fn write_hugging_face_folder(&self, folder: &Path, dtype: DType) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("model.safetensors"), self.safetensors(dtype)).unwrap();
        write_hugging_face_configs(folder);
    }

    /// The same in two shards with their index.
    pub fn write_sharded_folder(&self, folder: &Path, dtype: DType) {
        fs::create_dir_all(folder).unwrap();
        let mut weight_map = serde_json::Map::new();
        for (index, half) in self.halves().into_iter().enumerate() {
            let shard = format!("model-{:05}-of-00002.safetensors", index + 1);
            for (name, _) in &half {
                weight_map.insert(name.clone(), json!(shard));
            }
            fs::write(folder.join(&shard), safetensors(half, dtype)).unwrap();
        }
        let index = json!({"metadata": {"total_size": 1}, "weight_map": weight_map});
        fs::write(
            folder.join("model.safetensors.index.json"),
            index.to_string(),
        )
        .unwrap();
        write_hugging_face_configs(folder);
    }

    fn halves(&self) -> [Vec<(String, &Values)>; 2] {
        let mut all: Vec<_> = self
            .tensors
            .iter()
            .map(|(name, values)| (hugging_face(name), values))
            .collect();
        let rest = all.split_off(all.len() / 2);
        [all, rest]
    }
}

fn write_hugging_face_configs(folder: &Path) {
    let config = json!({
        "model_type": "whisper", "d_model": 4, "encoder_layers": 2, "decoder_layers": 1,
        "encoder_attention_heads": 2, "decoder_attention_heads": 4, "num_mel_bins": 4,
        "vocab_size": 11, "max_source_positions": 6, "max_target_positions": 5,
        "activation_function": "gelu", "scale_embedding": false
    });
    let generation = json!({
        "alignment_heads": [[0, 1], [0, 3]], "suppress_tokens": [1, 2],
        "begin_suppress_tokens": [3], "lang_to_id": {"<|b|>": 8, "<|a|>": 7}
    });
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    fs::write(
        folder.join("generation_config.json"),
        generation.to_string(),
    )
    .unwrap();
    fs::write(folder.join("tokenizer.json"), tokenizer()).unwrap();
}

pub fn tokenizer() -> String {
    json!({"added_tokens": [], "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}})
        .to_string()
}

pub fn encode(values: &[f32], dtype: DType) -> Vec<u8> {
    values
        .iter()
        .flat_map(|&value| match dtype {
            DType::F32 => value.to_le_bytes().to_vec(),
            DType::F16 => f16::from_f32(value).to_le_bytes().to_vec(),
            DType::BF16 => bf16::from_f32(value).to_le_bytes().to_vec(),
            other => panic!("no such type in these tests: {other}"),
        })
        .collect()
}

/// A safetensors file of these tensors, in this order.
pub fn safetensors<'a>(
    tensors: impl IntoIterator<Item = (String, &'a Values)>,
    dtype: DType,
) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, (shape, values)) in tensors {
        let start = data.len();
        data.extend(encode(values, dtype));
        let about = json!({
            "dtype": dtype.to_string().to_uppercase(), "shape": shape,
            "data_offsets": [start, data.len()]
        });
        header.insert(name, about);
    }
    raw_safetensors(&serde_json::Value::Object(header).to_string(), &data)
}

pub fn raw_safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

/// transformers' name of a canonical tensor, piece by piece.
pub fn hugging_face(canonical: &str) -> String {
    let pieces: Vec<&str> = canonical.split('.').collect();
    let name = match pieces[..] {
        [side, "blocks", layer, ref module @ .., leaf] => {
            let module = match module {
                ["attn", part] => format!("self_attn.{}", projection(part)),
                ["cross_attn", part] => format!("encoder_attn.{}", projection(part)),
                ["attn_ln"] => "self_attn_layer_norm".into(),
                ["cross_attn_ln"] => "encoder_attn_layer_norm".into(),
                ["mlp", "0"] => "fc1".into(),
                ["mlp", "2"] => "fc2".into(),
                ["mlp_ln"] => "final_layer_norm".into(),
                other => panic!("{other:?}"),
            };
            format!("{side}.layers.{layer}.{module}.{leaf}")
        }
        [side, "positional_embedding"] => format!("{side}.embed_positions.weight"),
        [side, "ln_post" | "ln", leaf] => format!("{side}.layer_norm.{leaf}"),
        [side, "token_embedding", leaf] => format!("{side}.embed_tokens.{leaf}"),
        _ => canonical.into(),
    };
    format!("model.{name}")
}

fn projection(part: &str) -> &'static str {
    match part {
        "query" => "q_proj",
        "key" => "k_proj",
        "value" => "v_proj",
        "out" => "out_proj",
        other => panic!("{other}"),
    }
}

/// Writes CTranslate2 files, variable by variable.
#[derive(Default)]
pub struct Ct2Writer {
    pub variables: Vec<Vec<u8>>,
    pub aliases: Vec<(String, String)>,
    pub version: Option<u32>,
    pub spec: Option<&'static str>,
}

impl Ct2Writer {
    pub fn variable(mut self, name: &str, shape: &[usize], dtype: u8, data: &[u8]) -> Self {
        let mut bytes = string(name);
        bytes.push(shape.len() as u8);
        bytes.extend(
            shape
                .iter()
                .flat_map(|&length| (length as u32).to_le_bytes()),
        );
        bytes.push(dtype);
        bytes.extend((data.len() as u32).to_le_bytes());
        bytes.extend(data);
        self.variables.push(bytes);
        self
    }

    pub fn floats(self, name: &str, shape: &[usize], values: &[f32], dtype: DType) -> Self {
        let code = match dtype {
            DType::F32 => 0,
            DType::F16 => 4,
            _ => 5,
        };
        self.variable(name, shape, code, &encode(values, dtype))
    }

    pub fn alias(mut self, alias: &str, variable: &str) -> Self {
        self.aliases.push((alias.into(), variable.into()));
        self
    }

    /// All variables of the model, in the converter's order, with its scalars and its alias.
    pub fn with_model(self, model: &Synthetic, dtype: DType) -> Self {
        let mut writer = self
            .variable("decoder/activation", &[], 1, &[3])
            .variable("decoder/alignment_layer", &[], 2, &[0xff, 0xff])
            .variable(
                "decoder/num_heads",
                &[],
                2,
                &(DIMS.n_text_head as i16).to_le_bytes(),
            )
            .variable("encoder/num_heads", &[], 1, &[DIMS.n_audio_head as u8])
            .alias("decoder/projection/weight", "decoder/embeddings/weight");
        for (name, (shape, values)) in stacked(model) {
            writer = writer.floats(&name, &shape, &values, dtype);
        }
        writer
    }

    pub fn finish(self) -> Vec<u8> {
        let mut file = self.version.unwrap_or(6).to_le_bytes().to_vec();
        file.extend(string(self.spec.unwrap_or("WhisperSpec")));
        file.extend(3u32.to_le_bytes());
        file.extend((self.variables.len() as u32).to_le_bytes());
        file.extend(self.variables.concat());
        file.extend((self.aliases.len() as u32).to_le_bytes());
        for (alias, variable) in &self.aliases {
            file.extend(string(alias));
            file.extend(string(variable));
        }
        file
    }
}

/// A string as CTranslate2 writes it.
pub fn string(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u16 + 1).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes.push(0);
    bytes
}

/// The model's tensors as CTranslate2 stacks and names them.
pub fn stacked(model: &Synthetic) -> Vec<(String, Values)> {
    let mut variables = Vec::new();
    let get = |name: &str| model.tensors[name].clone();
    let state = model.dims.n_text_state;
    let stack = |names: &[String]| {
        let mut values = Vec::new();
        let mut shape = Vec::new();
        for name in names {
            // Where Whisper has no bias, the converter writes zeros.
            let (part_shape, part) = model
                .tensors
                .get(name)
                .cloned()
                .unwrap_or((vec![state], vec![0.0; state]));
            values.extend(part);
            shape = part_shape;
        }
        shape[0] *= names.len();
        (shape, values)
    };
    let norm = |variables: &mut Vec<_>, theirs: String, ours: String| {
        variables.push((format!("{theirs}/gamma"), get(&format!("{ours}.weight"))));
        variables.push((format!("{theirs}/beta"), get(&format!("{ours}.bias"))));
    };
    let linear = |variables: &mut Vec<_>, theirs: String, ours: &[String]| {
        for leaf in ["weight", "bias"] {
            let names: Vec<String> = ours.iter().map(|name| format!("{name}.{leaf}")).collect();
            variables.push((format!("{theirs}/{leaf}"), stack(&names)));
        }
    };
    for conv in ["conv1", "conv2"] {
        for leaf in ["weight", "bias"] {
            let name = format!("encoder.{conv}.{leaf}");
            variables.push((format!("encoder/{conv}/{leaf}"), get(&name)));
        }
    }
    variables.push((
        "decoder/embeddings/weight".into(),
        get("decoder.token_embedding.weight"),
    ));
    for (side, layers, last) in [
        ("encoder", model.dims.n_audio_layer, "ln_post"),
        ("decoder", model.dims.n_text_layer, "ln"),
    ] {
        let positions = get(&format!("{side}.positional_embedding"));
        variables.push((format!("{side}/position_encodings/encodings"), positions));
        norm(
            &mut variables,
            format!("{side}/layer_norm"),
            format!("{side}.{last}"),
        );
        for layer in 0..layers {
            let (theirs, ours) = (
                format!("{side}/layer_{layer}"),
                format!("{side}.blocks.{layer}"),
            );
            let part = |name: &str| format!("{ours}.{name}");
            norm(
                &mut variables,
                format!("{theirs}/self_attention/layer_norm"),
                part("attn_ln"),
            );
            let qkv = [part("attn.query"), part("attn.key"), part("attn.value")];
            linear(
                &mut variables,
                format!("{theirs}/self_attention/linear_0"),
                &qkv,
            );
            linear(
                &mut variables,
                format!("{theirs}/self_attention/linear_1"),
                &[part("attn.out")],
            );
            if side == "decoder" {
                let attention = format!("{theirs}/attention");
                norm(
                    &mut variables,
                    format!("{attention}/layer_norm"),
                    part("cross_attn_ln"),
                );
                linear(
                    &mut variables,
                    format!("{attention}/linear_0"),
                    &[part("cross_attn.query")],
                );
                let kv = [part("cross_attn.key"), part("cross_attn.value")];
                linear(&mut variables, format!("{attention}/linear_1"), &kv);
                linear(
                    &mut variables,
                    format!("{attention}/linear_2"),
                    &[part("cross_attn.out")],
                );
            }
            norm(
                &mut variables,
                format!("{theirs}/ffn/layer_norm"),
                part("mlp_ln"),
            );
            linear(
                &mut variables,
                format!("{theirs}/ffn/linear_0"),
                &[part("mlp.0")],
            );
            linear(
                &mut variables,
                format!("{theirs}/ffn/linear_1"),
                &[part("mlp.2")],
            );
        }
    }
    variables
}
