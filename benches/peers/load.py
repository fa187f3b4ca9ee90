#!/usr/bin/env python3
"""Loads a model once with another engine, on the CPU, and prints one JSON object: seconds and host memory.

    python benches/peers/load.py faster-whisper FOLDER [--compute_type float32]
    python benches/peers/load.py openai-whisper FILE.pt

Imports are done before the clock starts and before memory is counted. `peak_bytes` is what the load added at most to the resident
memory, `kept_bytes` what is still added when the model is loaded, the model among it (Linux).
"""
import argparse
import json
import time


def status(key):
    with open("/proc/self/status") as file:
        (line,) = [line for line in file if line.startswith(key)]
    return 1024 * int(line.split()[1])


def faster_whisper(args):
    import faster_whisper
    import ctranslate2

    engine = f"faster-whisper {faster_whisper.__version__}, CTranslate2 {ctranslate2.__version__}"
    return engine, lambda: faster_whisper.WhisperModel(
        args.path, device="cpu", compute_type=args.compute_type, cpu_threads=args.threads, local_files_only=True)


def openai_whisper(args):
    import torch
    import whisper

    torch.set_num_threads(args.threads)
    # The first tensor starts torch's own machinery.
    torch.zeros(8) @ torch.zeros(8)
    return f"openai-whisper {whisper.__version__}, torch {torch.__version__}", lambda: whisper.load_model(args.path, device="cpu")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=["faster-whisper", "openai-whisper"])
    parser.add_argument("path")
    parser.add_argument("--compute_type", default="float32")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    engine, load = (faster_whisper if args.engine == "faster-whisper" else openai_whisper)(args)

    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = status("VmRSS")
    begin = time.perf_counter()
    model = load()
    seconds = time.perf_counter() - begin
    print(json.dumps(dict(
        engine=engine, path=args.path, seconds=seconds, peak_bytes=status("VmHWM") - before, kept_bytes=status("VmRSS") - before,
    )))
    del model


if __name__ == "__main__":
    main()
