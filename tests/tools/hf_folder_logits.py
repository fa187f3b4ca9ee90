"""Loads a Hugging Face folder that whisper-rs wrote with transformers, and compares its logits
with reference logits of openai/whisper.

    python hf_folder_logits.py FOLDER REFERENCE.safetensors TOKENS.json MODEL

REFERENCE holds `mel` [n_mels, frames] or [1, n_mels, frames] and `logits` [tokens, vocabulary]; TOKENS holds the tokens that
gave these logits, as {MODEL: {"forced_input": [...]}}. Needs torch, transformers and safetensors.
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
    problems = {key: sorted(value) for key, value in loading.items() if value}
    reference = load_file(reference_path)
    with open(tokens_path) as file:
        tokens = json.load(file)[name]["forced_input"]

    mel = reference["mel"].float()
    mel = mel.reshape(1, *mel.shape[-2:])[..., :3000]
    expected = reference["logits"].float()
    expected = expected.reshape(-1, expected.shape[-1])
    with torch.no_grad():
        logits = model.eval()(mel, decoder_input_ids=torch.tensor([tokens])).logits[0]

    error = (logits[: len(expected)] - expected).abs().max().item()
    same_choice = bool((logits.argmax(-1)[: len(expected)] == expected.argmax(-1)).all())
    text = AutoTokenizer.from_pretrained(folder).decode(tokens, skip_special_tokens=True)
    print(f"{name}: {len(expected)} positions, vocabulary {expected.shape[-1]}")
    print(f"  max abs difference of the logits {error:.2e}, same choice everywhere: {same_choice}")
    print(f"  keys that did not load as they should: {problems or 'none'}")
    print(f"  tokenizer: {text.strip()!r}")
    passed = error <= MAX_ABSOLUTE_ERROR and same_choice and not problems
    print("OK" if passed else "NOT OK")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
