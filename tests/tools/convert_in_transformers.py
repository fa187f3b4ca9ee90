#!/usr/bin/env python3
"""Checks that transformers loads what `whisper-rs models convert` writes, and hears the same in it.

    python tests/tools/convert_in_transformers.py BIN SRC CLIP.wav [SRC ...]

For each source (a name, or a file or folder in any format) and each type (f32, f16, bf16): converts, loads the folder with
transformers without a missing or unexpected key, compares every parameter with the f32 one of the same source, rounded to the type, and
transcribes the clip (16 kHz mono 16-bit WAV, at most 30 s) greedily without timestamps. All texts of one source must be the same. Needs
torch and transformers.
"""
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np
import torch
from transformers import WhisperForConditionalGeneration, WhisperProcessor

TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def samples(path):
    with wave.open(path) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2), path
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768


def check(binary, source, clip):
    texts, whole = {}, None
    for name, dtype in TYPES.items():
        with tempfile.TemporaryDirectory() as folder:
            folder = str(Path(folder) / "converted")
            subprocess.run([binary, "models", "convert", source, folder, "--format", "safetensors", "--dtype", name], check=True)
            model, loading = WhisperForConditionalGeneration.from_pretrained(folder, dtype=dtype, output_loading_info=True)
            problems = {key: sorted(value) for key, value in loading.items() if value}
            assert not problems, problems
            processor = WhisperProcessor.from_pretrained(folder)
            assert model.dtype == dtype, model.dtype
            tensors = {key: value.clone() for key, value in model.state_dict().items()}
            whole = whole or tensors
            for key, value in tensors.items():
                assert torch.equal(value, whole[key].to(dtype)), f"{name}: {key} differs"
            # Values are compared in their own type; the CPU computes in f32.
            features = processor(samples(clip), sampling_rate=16000, return_tensors="pt").input_features
            with torch.no_grad():
                tokens = model.float().generate(features, num_beams=1, do_sample=False)
            texts[name] = processor.batch_decode(tokens, skip_special_tokens=True)[0].strip()
    assert len(set(texts.values())) == 1, texts
    print(f"{source}: {len(whole)} tensors equal in {', '.join(TYPES)}; {texts['f32']!r}")


def main():
    binary, source, clip, *more = sys.argv[1:]
    for source in [source, *more]:
        check(binary, source, clip)
    print("OK")


if __name__ == "__main__":
    main()
