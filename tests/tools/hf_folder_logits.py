"""Loads a Hugging Face folder that whisper-rs wrote with transformers, and compares its encoder
output and logits with those of openai/whisper.

    python hf_folder_logits.py FOLDER REFERENCE.safetensors TOKENS.json MODEL

REFERENCE holds `mel` [n_mels, 3000], `encoder` [1500, state] and `logits_prompt` [tokens,
vocabulary]: the logits of the start sequence followed by the no-timestamps token. TOKENS gives the
start sequence, and tokens with their text: {MODEL: {"sot": [...], "tokens": [...], "text": ".."}}.
Needs torch, transformers and safetensors.
"""

import json
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, WhisperForConditionalGeneration

# Two implementations of the same model in f32, summing in different orders.
MAX_ABSOLUTE_ERROR = 1e-3


def main() -> int:
    folder, reference_path, tokens_path, name = sys.argv[1:]
    model, loading = WhisperForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True
    )
    model.eval()
    problems = {key: sorted(value) for key, value in loading.items() if value}
    reference = load_file(reference_path)
    with open(tokens_path) as file:
        expected_of_model = json.load(file)[name]
    prompt = expected_of_model["sot"] + [model.generation_config.no_timestamps_token_id]

    with torch.no_grad():
        encoded = model.model.encoder(reference["mel"][None])
        decoder_input = torch.tensor([prompt])
        output = model(encoder_outputs=encoded, decoder_input_ids=decoder_input)
    logits, expected = output.logits[0], reference["logits_prompt"]
    assert logits.shape == expected.shape, (logits.shape, expected.shape)
    scale = reference["encoder"].abs().max().item()
    encoder_error = (encoded.last_hidden_state[0] - reference["encoder"]).abs().max().item() / scale
    error = (logits - expected).abs().max().item()
    same_choice = bool((logits.argmax(-1) == expected.argmax(-1)).all())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    first_timestamp = model.generation_config.no_timestamps_token_id + 1
    tokens = [token for token in expected_of_model["tokens"] if token < first_timestamp]
    text = tokenizer.decode(tokens, skip_special_tokens=True)

    print(f"{name}: {len(expected)} positions, vocabulary {expected.shape[-1]}")
    print(f"  max difference of the encoder output {encoder_error:.1e} of its largest value")
    print(f"  max abs difference of the logits {error:.1e}, same choice everywhere: {same_choice}")
    print(f"  keys that did not load as they should: {problems or 'none'}")
    print(f"  tokenizer: {text.strip()!r}")
    passed = (
        error <= MAX_ABSOLUTE_ERROR
        and same_choice
        and not problems
        and text.strip() == expected_of_model["text"]
    )
    print("OK" if passed else "NOT OK")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
