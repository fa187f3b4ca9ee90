#!/usr/bin/env python3
"""Times whisper.cpp (PyPI `pywhispercpp`) on files, as a peer of whisper-rs.

    python benches/peers/run_whisper_cpp.py --model base --weights FILE --threads 2 [--beam 5] [--words] FILE...

At temperature 0 without fallback. FILE is a ggml file. Prints one JSON object.
"""
import argparse
import contextlib
import importlib.metadata
import json
import os
import resource
import sys
import time

import samples

started = time.perf_counter()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--model", default="base")
    parser.add_argument("--weights", required=True, help="the model's ggml file")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--words", action="store_true")
    args = parser.parse_args()
    from pywhispercpp.model import Model

    imported = time.perf_counter()
    # What the library prints goes elsewhere: standard output is for the report.
    with contextlib.redirect_stdout(sys.stderr):
        strategy = 1 if args.beam > 1 else 0
        model = Model(args.weights, params_sampling_strategy=strategy, n_threads=args.threads, print_progress=False,
                      print_realtime=False, redirect_whispercpp_logs_to=None)
        loaded = time.perf_counter()
        results = []
        for file in args.files:
            begin = time.perf_counter()
            pcm = samples.read(file)
            options = dict(temperature=0.0, temperature_inc=0.0, token_timestamps=args.words)
            if args.beam > 1:
                options["beam_search"] = {"beam_size": args.beam, "patience": -1.0}
            else:
                options["greedy"] = {"best_of": 1}
            if not args.model.endswith(".en"):
                options["language"] = "en"
            segments = model.transcribe(pcm, **options)
            text = " ".join(segment.text.strip() for segment in segments)
            results.append(dict(file=file, seconds=[time.perf_counter() - begin], text=text))
    print(json.dumps(dict(
        engine=f"whisper.cpp, pywhispercpp {importlib.metadata.version('pywhispercpp')}", model=args.model,
        threads=args.threads, import_seconds=imported - started, load_seconds=loaded - imported, files=results,
        peak_rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )))


if __name__ == "__main__":
    main()
