"""GGUF files of Whisper by ggml's own Python package (PyPI gguf), in the names that Candle's tensor-tools keeps: transformers'."""

import gguf
import numpy as np

from names import openai_name, transformers_name

GGUF_TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]


def write_gguf(path, model, kind):
    """Writes an openai/whisper model; gives the values that the file holds, by openai's names."""
    wanted = gguf.GGMLQuantizationType[kind]
    writer = gguf.GGUFWriter(str(path), arch="whisper")
    held = {}
    for name, tensor in model.state_dict().items():
        assert openai_name(transformers_name(name)[len("model.") :]) == name
        values = np.ascontiguousarray(tensor.numpy().astype(np.float32))
        plain = values.ndim < 2 or name.endswith("positional_embedding") or (kind.startswith("Q") and values.ndim != 2)
        used = gguf.GGMLQuantizationType.F32 if plain else wanted
        data = gguf.quants.quantize(values, used)
        held[name] = gguf.quants.dequantize(data, used).reshape(values.shape)
        writer.add_tensor(transformers_name(name), data, raw_dtype=used)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return held
