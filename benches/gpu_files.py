#!/usr/bin/env python3
"""Whole recordings on one GPU beside openai/whisper, both in float16, greedily at temperature 0 without fallback.

    pip install torch openai-whisper
    python benches/gpu_files.py target/debug/whisper-rs --model base talk.wav [--seconds 3600]

Both have the same weights, in f16 (`environment.py`). Files are WAV of 16 kHz, mono, 16 bit; with `--seconds` each is repeated up to that
length. openai/whisper runs in this process and its model is loaded before the clock starts; of whisper-rs the whole process is timed,
and beside it what is left without the time of a process that transcribes a second of the file. Engines take turns, after each has
transcribed that second; medians.
"""
import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import environment


def samples(path, seconds):
    with wave.open(path) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2), f"{path}: 16 kHz, mono, 16 bit"
        data = file.readframes(file.getnframes())
    if seconds:
        length = 2 * 16000 * seconds
        data = (data * (length // len(data) + 1))[:length]
    return data


def written(data, folder, name):
    path = Path(folder) / name
    with wave.open(str(path), "wb") as file:
        file.setframerate(16000)
        file.setnchannels(1)
        file.setsampwidth(2)
        file.writeframes(data)
    return path


def ours(arguments, path):
    command = [arguments.bin, "transcribe", str(path), "--model", arguments.model, "--device", "cuda", "--compute_type", "float16"]
    command += ["--temperature", "0", "--beam_size", "None", "--best_of", "None", "--quiet", "-o", "-", "-f", "txt"]
    begin = time.perf_counter()
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return time.perf_counter() - begin, text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--model", default="base")
    parser.add_argument("--seconds", type=int, nargs="+", default=[0], help="length that a file is repeated to; 0 is its own")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()

    import numpy
    import torch
    import whisper

    weights = environment.weights(arguments.bin, sys.executable, arguments.model)
    model = whisper.load_model(str(weights / "openai.pt"), device="cuda")

    def theirs(data):
        audio = numpy.frombuffer(data, numpy.int16).astype(numpy.float32) / 32768
        begin = time.perf_counter()
        result = whisper.transcribe(model, audio, temperature=0.0, beam_size=None, best_of=None, fp16=True, verbose=None)
        torch.cuda.synchronize()
        return time.perf_counter() - begin, result["text"]

    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {arguments.model}, float16")
    with tempfile.TemporaryDirectory() as folder:
        for file in arguments.files:
            beginning = samples(file, 1)
            second = written(beginning, folder, "second.wav")
            ours(arguments, second), theirs(beginning)
            for seconds in arguments.seconds:
                data = samples(file, seconds)
                path = written(data, folder, "whole.wav")
                times = {"ours": [], "start": [], "theirs": []}
                for _ in range(arguments.runs):
                    (whole, text), (start, _), (other, other_text) = ours(arguments, path), ours(arguments, second), theirs(data)
                    for name, value in zip(times, (whole, start, other)):
                        times[name].append(value)
                whole, start, other = (statistics.median(times[name]) for name in times)
                length = len(data) / 32000
                words, other_words = (len(text.split()) for text in (text, other_text))
                print(
                    f"{Path(file).name}, {length:.0f} s: whisper-rs {whole:.2f} s ({length / whole:.0f} x real time; {whole - start:.2f} s without "
                    f"its start), openai/whisper {other:.2f} s ({length / other:.0f} x); ratio {whole / other:.2f}, without start "
                    f"{(whole - start) / other:.2f}; {words} and {other_words} words",
                    flush=True,
                )


if __name__ == "__main__":
    main()
