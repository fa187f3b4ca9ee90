#!/usr/bin/env python3
"""Writes a model in the forms that the peers load, by the formats' own tools.

    python benches/peers/prepare_weights.py FOLDER

FOLDER/transformers is what `whisper-rs models convert MODEL FOLDER/transformers --dtype f16` wrote. Beside it this writes, where they are
missing, `ctranslate2` (faster-whisper), `openai.pt` (openai/whisper) and `ggml.bin` (whisper.cpp), all in f16, and `ggml-q8_0.bin`. The
packages are those of `benches/requirements.txt`; a form whose package is not installed is left out, and said so.
"""
import dataclasses
import functools
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "weights/tests/tools"))


@functools.cache
def as_openai(source):
    """The model as openai/whisper has it, in f32."""
    import torch
    from openai_model import openai_model
    from transformers import WhisperForConditionalGeneration

    return openai_model(WhisperForConditionalGeneration.from_pretrained(source, dtype=torch.float32))


def for_ctranslate2(source, target):
    from ctranslate2.converters import TransformersConverter

    converter = TransformersConverter(str(source), copy_files=["tokenizer.json", "preprocessor_config.json"])
    converter.convert(str(target), quantization="float16", force=True)


def for_openai(source, target):
    import torch

    model = as_openai(source)
    state = {name: tensor.half() for name, tensor in model.state_dict().items()}
    torch.save(dict(dims=dataclasses.asdict(model.dims), model_state_dict=state), target)


def for_ggml(kind, source, target):
    from ggml_writer import write_ggml

    write_ggml(target, as_openai(source), kind)


FORMS = {
    "ctranslate2": for_ctranslate2,
    "openai.pt": for_openai,
    "ggml.bin": functools.partial(for_ggml, "f16"),
    "ggml-q8_0.bin": functools.partial(for_ggml, "q8_0"),
}


def main(folder):
    for name, make in FORMS.items():
        target, partial = folder / name, folder / f"{name}.partial"
        if target.exists():
            continue
        shutil.rmtree(partial, ignore_errors=True)
        try:
            make(folder / "transformers", partial)
            partial.rename(target)
        except ImportError as error:
            print(f"{target} is not made: {error}", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
