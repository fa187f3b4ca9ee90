#!/usr/bin/env python3
"""Checks that GGUF files written by Candle itself hold the same values here.

    python weights/tests/tools/candle_gguf.py BIN SOURCE

SOURCE is a folder that transformers loads. For each type: Candle quantises the matrices, as its tensor-tools does (positions, filters and
vectors stay f32), writes a GGUF file, and gives the values that it reads out of it; `BIN models convert` brings the file to f32. Every tensor
must be equal to the last bit. Needs: pip install candle-nn numpy safetensors
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import candle
import candle.utils
import numpy as np
from safetensors.numpy import load_file

TYPES = ["f32", "f16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0"]


def check(binary, tensors, kind, folder):
    quantised = {}
    for name, tensor in tensors.items():
        plain = len(tensor.shape) != 2 or "embed_positions" in name
        quantised[name] = tensor.to_dtype(candle.f32).quantize("f32" if plain else kind)
    candle.utils.save_gguf(f"{folder}/model.gguf", quantised, {})
    candle.utils.save_safetensors(f"{folder}/expected.safetensors", {name: tensor.dequantize() for name, tensor in quantised.items()})
    subprocess.run([binary, "models", "convert", f"{folder}/model.gguf", f"{folder}/out", "--dtype", "f32"], check=True)
    expected, found = load_file(f"{folder}/expected.safetensors"), load_file(f"{folder}/out/model.safetensors")
    # The output projection is the token embedding again, and not written.
    expected.pop("proj_out.weight", None)
    assert expected.keys() == found.keys(), expected.keys() ^ found.keys()
    for name, values in expected.items():
        assert np.array_equal(values, found[name]), f"{kind}: {name} differs"
    print(f"{kind}: {len(found)} tensors equal")


def main():
    binary, source = sys.argv[1:]
    tensors = candle.utils.load_safetensors(str(Path(source) / "model.safetensors"))
    for kind in TYPES:
        with tempfile.TemporaryDirectory() as folder:
            check(binary, tensors, kind, folder)
    print("OK")


if __name__ == "__main__":
    main()
