#!/usr/bin/env python3
"""Times openai/whisper (PyPI `openai-whisper`, torch f32 on the CPU) on files, as a peer of whisper-rs.

    python benches/peers/openai_whisper.py --model base --weights FILE.pt --threads 2 [--beam 5] [--words] FILE...

At temperature 0 without fallback. FILE.pt is a checkpoint of openai's own form. Prints one JSON object.
"""
import argparse
import json
import os
import resource
import time

import samples

started = time.perf_counter()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--model", default="base")
    parser.add_argument("--weights", required=True, help="checkpoint of openai's own form")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--words", action="store_true")
    args = parser.parse_args()
    import torch
    import whisper

    torch.set_num_threads(args.threads)
    imported = time.perf_counter()
    model = whisper.load_model(args.weights, device="cpu")
    loaded = time.perf_counter()
    results = []
    for file in args.files:
        begin = time.perf_counter()
        result = whisper.transcribe(model, samples.read(file), temperature=0.0, beam_size=args.beam if args.beam > 1 else None, best_of=None,
                                    fp16=False, verbose=None, word_timestamps=args.words)
        results.append(dict(file=file, seconds=[time.perf_counter() - begin], text=result["text"], segments=[
            dict(seek=segment["seek"], tokens=segment["tokens"]) for segment in result["segments"]]))
    print(json.dumps(dict(
        engine=f"openai-whisper {whisper.__version__}, torch {torch.__version__}", model=args.model, threads=args.threads,
        import_seconds=imported - started, load_seconds=loaded - imported, files=results,
        peak_rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )))


if __name__ == "__main__":
    main()
