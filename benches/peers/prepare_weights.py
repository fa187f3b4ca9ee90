#!/usr/bin/env python3
"""Writes a model in the forms that the peers load, by the formats' own tools.

    python benches/peers/prepare_weights.py FOLDER

FOLDER/transformers is what `whisper-rs models convert MODEL FOLDER/transformers --dtype f16` wrote. Beside it this writes
`ctranslate2` (faster-whisper), `openai.pt` (openai/whisper) and `ggml.bin` (whisper.cpp), all in f16. The packages are those of
`benches/requirements.txt`.
"""
import dataclasses
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "weights/tests/tools"))

import ctranslate2
import torch
from ggml_writer import write_ggml
from transformers import WhisperForConditionalGeneration
from write_formats import openai_model


def main(folder):
    source = folder / "transformers"
    converter = ctranslate2.converters.TransformersConverter(
        str(source), copy_files=["tokenizer.json", "preprocessor_config.json"])
    converter.convert(str(folder / "ctranslate2"), quantization="float16", force=True)
    model = openai_model(WhisperForConditionalGeneration.from_pretrained(source, dtype=torch.float32))
    state = {name: tensor.half() for name, tensor in model.state_dict().items()}
    torch.save(dict(dims=dataclasses.asdict(model.dims), model_state_dict=state), folder / "openai.pt")
    write_ggml(folder / "ggml.bin", model, "f16")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
