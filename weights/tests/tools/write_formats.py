"""Writes a Whisper model in every format that users have, by the formats' own public tools.

    python weights/tests/tools/write_formats.py SOURCE FOLDER

SOURCE is a folder that transformers loads (`whisper-rs models convert base SOURCE`
writes one). FOLDER gets one folder or file per format, and `expected.json`: for each of them the sha256 of every
tensor's values, as little-endian f32, under openai/whisper's names. What a quantised format makes of a value is
computed by that format's own library (ggml) or by its definition in numpy (CTranslate2), never by this project.

Needs: pip install torch transformers safetensors huggingface_hub openai-whisper==20250625 ctranslate2 pywhispercpp gguf

`weights/tests/real_formats.rs` compares what this project reads with expected.json.
"""

import dataclasses
import hashlib
import json
import shutil
import sys
from pathlib import Path

import ctranslate2
import huggingface_hub
import numpy as np
import safetensors.torch
import torch
import whisper
from transformers import WhisperForConditionalGeneration

from ggml_writer import GGML_TYPES, write_ggml
from gguf_writer import GGUF_TYPES, write_gguf
from openai_model import openai_model

COMPANIONS = ["config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"]


def hashes(tensors):
    """sha256 of each tensor's values as little-endian f32."""
    return {
        name: hashlib.sha256(np.ascontiguousarray(values, dtype="<f4").tobytes()).hexdigest()
        for name, values in tensors.items()
    }


def as_numpy(state, dtype=torch.float32):
    return {name: tensor.to(dtype).to(torch.float32).numpy() for name, tensor in state.items()}


def ctranslate2_groups(names):
    """The tensors that CTranslate2 stacks into one, and that share a scale in int16."""
    grouped = {}
    for name in names:
        if ".attn." in name and name.split(".")[-2] in ("query", "key", "value"):
            key = name.rsplit(".", 2)[0] + ".qkv"
        elif ".cross_attn." in name and name.split(".")[-2] in ("key", "value"):
            key = name.rsplit(".", 2)[0] + ".kv"
        else:
            key = name
        grouped.setdefault(key, []).append(name)
    return grouped.values()


def quantised_by_ctranslate2(state, quantization):
    """What CTranslate2's converter leaves of each value (ctranslate2/specs/model_spec.py, `_quantize`)."""
    others = {"int8_float16": torch.float16, "int8_bfloat16": torch.bfloat16}.get(quantization, torch.float32)
    values = as_numpy(state)
    result = as_numpy(state, others)
    weights = [name for name in values if name.endswith(".weight") and values[name].ndim > 1]
    if quantization == "int16":
        for group in ctranslate2_groups(weights):
            largest = max(np.amax(np.absolute(values[name])) for name in group)
            scale = np.float32(2**10 / largest)
            for name in group:
                result[name] = np.rint(values[name] * scale).astype(np.int16).astype(np.float32) / scale
        return result
    for name in weights:
        rows = values[name].reshape(values[name].shape[0], -1)
        largest = np.amax(np.absolute(rows), axis=1)
        largest[largest == 0] = 127.0
        scale = 127.0 / largest
        quantised = np.rint(rows * scale[:, None]).astype(np.int8)
        result[name] = (quantised.astype(np.float32) / scale[:, None]).reshape(values[name].shape)
    return result


def main(source, folder):
    source, folder = Path(source), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model = WhisperForConditionalGeneration.from_pretrained(source, dtype=torch.float32)
    openai = openai_model(model)
    state = {name: tensor for name, tensor in openai.state_dict().items()}
    expected = {}

    def companions(target):
        target.mkdir(parents=True, exist_ok=True)
        for name in COMPANIONS:
            if not (target / name).exists():
                shutil.copy(source / name, target / name)
        return target

    # transformers: safetensors of each type, whole and in shards.
    for name, dtype in [("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16)]:
        target = folder / f"transformers-{name}"
        shutil.rmtree(target, ignore_errors=True)
        model.to(dtype).save_pretrained(target)
        companions(target)
        expected[target.name] = hashes(as_numpy(state, dtype))
        model = WhisperForConditionalGeneration.from_pretrained(source, dtype=torch.float32)
    target = folder / "transformers-sharded"
    shutil.rmtree(target, ignore_errors=True)
    model.save_pretrained(target, max_shard_size="40MB")
    assert len(list(companions(target).glob("model-*.safetensors"))) > 1
    expected[target.name] = hashes(as_numpy(state))

    # PyTorch: pytorch_model.bin as transformers wrote it, whole, in shards, and in the format before PyTorch 1.6.
    for name, arguments in [("pytorch", {}), ("pytorch-legacy", {"_use_new_zipfile_serialization": False})]:
        target = companions(folder / name)
        torch.save(model.state_dict(), target / "pytorch_model.bin", **arguments)
        expected[name] = hashes(as_numpy(state))
    target = companions(folder / "pytorch-sharded")
    shards = dict(filename_pattern="pytorch_model{suffix}.bin", max_shard_size="40MB", safe_serialization=False)
    huggingface_hub.save_torch_state_dict(model.state_dict(), target, **shards)
    assert len(list(target.glob("pytorch_model-*.bin"))) > 1
    expected[target.name] = hashes(as_numpy(state))

    # openai/whisper: dims and model_state_dict in one file, in f16 as published and in f32; and its names in safetensors.
    for name, dtype in [("openai-f16", torch.float16), ("openai-f32", torch.float32)]:
        typed = {key: tensor.to(dtype) for key, tensor in state.items()}
        target = folder / name
        target.mkdir(exist_ok=True)
        torch.save({"dims": dataclasses.asdict(openai.dims), "model_state_dict": typed}, target / "model.pt")
        whisper.load_model(str(target / "model.pt"), device="cpu")
        expected[name] = hashes(as_numpy(state, dtype))
    target = companions(folder / "openai-names")
    safetensors.torch.save_file({key: tensor.contiguous() for key, tensor in state.items()}, target / "model.safetensors")
    expected[target.name] = hashes(as_numpy(state))

    # CTranslate2, every quantisation.
    converter = ctranslate2.converters.TransformersConverter(
        str(source), copy_files=["tokenizer.json", "preprocessor_config.json"]
    )
    floats = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
    for quantization in [*floats, "int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16"]:
        target = folder / f"ctranslate2-{quantization}"
        converter.convert(str(target), quantization=quantization, force=True)
        values = as_numpy(state, floats[quantization]) if quantization in floats else quantised_by_ctranslate2(state, quantization)
        expected[target.name] = hashes(values)

    # ggml, every type, by this project's writer and ggml's own quantisation.
    for kind in GGML_TYPES:
        target = folder / f"ggml-{kind}"
        target.mkdir(exist_ok=True)
        expected[target.name] = hashes(write_ggml(target / f"ggml-model-{kind}.bin", openai, kind))

    # GGUF with transformers' names, as Candle's tensor-tools writes it, by ggml's own Python package.
    for kind in GGUF_TYPES:
        target = companions(folder / f"gguf-{kind}")
        expected[target.name] = hashes(write_gguf(target / "model.gguf", openai, kind))

    (folder / "expected.json").write_text(json.dumps(expected))
    print(f"{len(expected)} formats in {folder}")


if __name__ == "__main__":
    main(*sys.argv[1:])
