"""A writer of whisper.cpp's ggml files, written from the layout that its loader reads.

Rows are quantised and read back by ggml itself: the `libggml-base` that PyPI's pywhispercpp ships, through ctypes.
"""

import base64
import ctypes
import glob
import os
import struct

import numpy as np
import pywhispercpp
import whisper

# Name: (ggml_type of tensors, ggml_ftype of the file, values in a block, bytes of a block)
GGML_TYPES = {
    "f32": (0, 0, 1, 4),
    "f16": (1, 1, 1, 2),
    "q4_0": (2, 2, 32, 18),
    "q4_1": (3, 3, 32, 20),
    "q5_0": (6, 8, 32, 22),
    "q5_1": (7, 9, 32, 24),
    "q8_0": (8, 7, 32, 34),
}
MAGIC = 0x67676D6C
QUANTISATION_VERSION = 2


def libggml():
    folder = os.path.dirname(os.path.dirname(pywhispercpp.__file__))
    return ctypes.CDLL(sorted(glob.glob(f"{folder}/libggml-base.so*"))[0])


def quantise(values, kind):
    """The blocks of a matrix, and the values that ggml reads back from them."""
    code, _, per_block, block_bytes = GGML_TYPES[kind]
    library = libggml()
    values = np.ascontiguousarray(values, dtype=np.float32)
    rows, columns = values.shape
    blocks = np.zeros(values.size // per_block * block_bytes, dtype=np.uint8)
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    written = library.ggml_quantize_chunk(
        ctypes.c_int(code),
        values.ctypes.data_as(ctypes.c_void_p),
        blocks.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_int64(0),
        ctypes.c_int64(rows),
        ctypes.c_int64(columns),
        None,
    )
    assert written == blocks.size, (written, blocks.size)
    back = np.zeros_like(values)
    getattr(library, f"dequantize_row_{kind}")(
        blocks.ctypes.data_as(ctypes.c_void_p), back.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(values.size)
    )
    return blocks.tobytes(), back


def write_ggml(path, model, kind):
    """Writes an openai/whisper model; gives the values that the file holds, by name."""
    code, ftype, _, _ = GGML_TYPES[kind]
    quantised = kind.startswith("q")
    dims = model.dims
    assets = os.path.join(os.path.dirname(whisper.__file__), "assets")
    held = {}
    with open(path, "wb") as file:
        header = [
            MAGIC, dims.n_vocab, dims.n_audio_ctx, dims.n_audio_state, dims.n_audio_head, dims.n_audio_layer,
            dims.n_text_ctx, dims.n_text_state, dims.n_text_head, dims.n_text_layer, dims.n_mels,
            ftype + (1000 * QUANTISATION_VERSION if quantised else 0),
        ]  # fmt: skip
        file.write(struct.pack("<12i", *header))
        filters = np.load(f"{assets}/mel_filters.npz")[f"mel_{dims.n_mels}"].astype("<f4")
        file.write(struct.pack("<2i", *filters.shape) + filters.tobytes())

        vocabulary = f"{assets}/{'multilingual' if dims.n_vocab >= 51865 else 'gpt2'}.tiktoken"
        lines = [line.split() for line in open(vocabulary, "rb").read().splitlines()]
        tokens = [base64.b64decode(line[0]) for line in lines]
        assert [int(line[1]) for line in lines] == list(range(len(tokens)))
        file.write(struct.pack("<i", len(tokens)))
        for token in tokens:
            file.write(struct.pack("<i", len(token)) + token)

        for name, tensor in model.state_dict().items():
            values = tensor.numpy().astype(np.float32)
            shape = values.shape
            if name in ("encoder.conv1.bias", "encoder.conv2.bias"):
                shape = (shape[0], 1)
            plain = len(shape) < 2 or name.endswith(("conv1.bias", "conv2.bias", "positional_embedding"))
            if plain or kind == "f32":
                kept, data, held[name] = 0, values.tobytes(), values
            elif quantised and len(shape) == 2:
                data, held[name] = quantise(values, kind)
                kept = code
            else:
                halves = values.astype("<f2")
                kept, data, held[name] = 1, halves.tobytes(), halves.astype(np.float32)
            file.write(struct.pack("<3i", len(shape), len(name.encode()), kept))
            file.write(struct.pack(f"<{len(shape)}i", *reversed(shape)) + name.encode() + data)
    return held
