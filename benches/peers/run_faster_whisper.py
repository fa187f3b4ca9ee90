#!/usr/bin/env python3
"""Times faster-whisper (PyPI `faster-whisper`, CTranslate2 on the CPU) on files, as a peer of whisper-rs.

    python benches/peers/run_faster_whisper.py --model base --weights FOLDER --threads 2 [--beam 5] [--words] FILE...

At temperature 0 without fallback. FOLDER holds a CTranslate2 `model.bin`. Prints one JSON object.
"""
import argparse
import importlib.metadata
import json
import os
import resource
import time

started = time.perf_counter()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--model", default="base")
    parser.add_argument("--weights", required=True, help="folder with the CTranslate2 model.bin")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--words", action="store_true")
    parser.add_argument("--compute_type", default="float32")
    args = parser.parse_args()
    from faster_whisper import WhisperModel

    imported = time.perf_counter()
    model = WhisperModel(args.weights, device="cpu", compute_type=args.compute_type, cpu_threads=args.threads)
    loaded = time.perf_counter()
    results = []
    for file in args.files:
        begin = time.perf_counter()
        segments, _ = model.transcribe(file, beam_size=args.beam, best_of=1, temperature=0.0, word_timestamps=args.words)
        text = "".join(segment.text for segment in segments)
        results.append(dict(file=file, seconds=[time.perf_counter() - begin], text=text))
    print(json.dumps(dict(
        engine=f"faster-whisper {importlib.metadata.version('faster-whisper')}, {args.compute_type}", model=args.model,
        threads=args.threads, import_seconds=imported - started, load_seconds=loaded - imported, files=results,
        peak_rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )))


if __name__ == "__main__":
    main()
