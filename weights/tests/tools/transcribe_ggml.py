"""Transcribes with whisper.cpp (PyPI pywhispercpp) and each ggml file of a folder that write_formats.py has filled.

    python weights/tests/tools/transcribe_ggml.py FOLDER tests/data/jfk.wav

Shows that what this project's writer writes is what whisper.cpp reads. The f32 file is passed over: whisper.cpp 1.8.5 loads one, but
its convolutions take kernels of f16 alone and abort.
"""

import sys
import wave
from pathlib import Path

import numpy as np
from pywhispercpp.model import Model


def main(folder, clip):
    with wave.open(clip) as audio:
        assert (audio.getframerate(), audio.getnchannels(), audio.getsampwidth()) == (16000, 1, 2)
        samples = np.frombuffer(audio.readframes(audio.getnframes()), dtype="<i2").astype(np.float32) / 32768
    for path in sorted(Path(folder).glob("ggml-*/*.bin")):
        if "f32" in path.name:
            continue
        model = Model(str(path), n_threads=1, print_progress=False, print_realtime=False, redirect_whispercpp_logs_to=None)
        print(path.name, "".join(f" {segment.text.strip()}" for segment in model.transcribe(samples, language="en")), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
