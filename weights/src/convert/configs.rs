//! The files of configuration beside the weights, as transformers reads them.

use serde_json::{Map, Value, json};

use super::tensors::written_type;
use crate::checkpoint::Checkpoint;
use crate::dtype::DType;
use crate::special::SpecialIds;
use crate::tokenizer::Outline;

impl Checkpoint {
    pub(super) fn config_json(&self, dtype: Option<DType>) -> Value {
        let dims = self.dims();
        let dtype = dtype.or_else(|| {
            self.dtype("decoder.token_embedding.weight")
                .map(written_type)
        });
        let mut config = json!({
            "architectures": ["WhisperForConditionalGeneration"],
            "model_type": "whisper",
            "activation_function": "gelu",
            "d_model": dims.n_audio_state,
            "decoder_attention_heads": dims.n_text_head,
            "decoder_ffn_dim": 4 * dims.n_text_state,
            "decoder_layers": dims.n_text_layer,
            "encoder_attention_heads": dims.n_audio_head,
            "encoder_ffn_dim": 4 * dims.n_audio_state,
            "encoder_layers": dims.n_audio_layer,
            "is_encoder_decoder": true,
            "max_source_positions": dims.n_audio_ctx,
            "max_target_positions": dims.n_text_ctx,
            "num_mel_bins": dims.n_mels,
            "scale_embedding": false,
            "torch_dtype": match dtype {
                Some(DType::F16) => "float16",
                Some(DType::BF16) => "bfloat16",
                _ => "float32",
            },
            "use_cache": true,
            "vocab_size": dims.n_vocab,
        });
        if let (Some(ids), Value::Object(config)) = (SpecialIds::of(dims), &mut config) {
            ids.add_to(config);
        }
        config
    }

    pub(super) fn generation_config_json(&self, tokenizer: &Outline) -> Value {
        let dims = self.dims();
        let mut config = Map::new();
        if let Some(heads) = self.alignment_heads() {
            config.insert("alignment_heads".into(), json!(heads));
        }
        if let Some(tokens) = self.suppress_tokens() {
            config.insert("suppress_tokens".into(), json!(tokens));
        }
        if let Some(tokens) = self.begin_suppress_tokens() {
            config.insert("begin_suppress_tokens".into(), json!(tokens));
        }
        config.insert("is_multilingual".into(), json!(dims.is_multilingual()));
        config.insert("max_length".into(), json!(dims.n_text_ctx));
        config.insert("max_initial_timestamp_index".into(), json!(50));
        config.insert("return_timestamps".into(), json!(false));
        if let Some(ids) = SpecialIds::of(dims) {
            ids.add_to(&mut config);
            config.insert("no_timestamps_token_id".into(), json!(ids.no_timestamps));
            config.insert("prev_sot_token_id".into(), json!(ids.start_of_prev));
            if dims.is_multilingual() {
                let tasks = json!({"transcribe": ids.transcribe, "translate": ids.translate});
                config.insert("task_to_id".into(), tasks);
                config.insert("lang_to_id".into(), language_names(tokenizer, &ids));
                // transformers puts a task's token before the text only where a task is named, and the text is
                // no good without.
                config.insert("task".into(), json!("transcribe"));
            }
        }
        Value::Object(config)
    }

    pub(super) fn preprocessor_config_json(&self) -> Value {
        json!({
            "feature_extractor_type": "WhisperFeatureExtractor",
            "processor_class": "WhisperProcessor",
            "feature_size": self.dims().n_mels,
            "sampling_rate": 16_000,
            "n_fft": 400,
            "hop_length": 160,
            "chunk_length": 30,
            "n_samples": 480_000,
            "nb_max_frames": 3_000,
            "padding_side": "right",
            "padding_value": 0.0,
            "return_attention_mask": false,
        })
    }

    pub(super) fn tokenizer_config_json(&self) -> Value {
        json!({
            "tokenizer_class": "WhisperTokenizer",
            "processor_class": "WhisperProcessor",
            "add_prefix_space": false,
            "bos_token": "<|endoftext|>",
            "eos_token": "<|endoftext|>",
            "unk_token": "<|endoftext|>",
            "pad_token": "<|endoftext|>",
            "model_max_length": 1024,
        })
    }
}

/// The language tokens of a tokenizer, by name: `{"<|en|>": 50259, ..}`.
fn language_names(tokenizer: &Outline, ids: &SpecialIds) -> Value {
    let added = tokenizer.added_tokens.iter();
    let languages = added
        .filter(|token| ids.languages.contains(&token.id))
        .map(|token| (token.content.clone(), json!(token.id)));
    Value::Object(languages.collect())
}
