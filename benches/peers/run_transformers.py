#!/usr/bin/env python3
"""Times transformers' Whisper (PyPI `transformers`, torch f32 on the CPU) on files, as a peer of whisper-rs.

    python benches/peers/run_transformers.py --model base --weights FOLDER --threads 2 [--beam 5] [--words] FILE...

At temperature 0 without fallback, with timestamps, and the windows of a long file one after the other, as openai/whisper has them.
FOLDER is one that transformers loads. Prints one JSON object.
"""
import argparse
import json
import os
import resource
import time

import samples

started = time.perf_counter()

SECONDS_PER_WINDOW = 30


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--model", default="base")
    parser.add_argument("--weights", required=True, help="folder that transformers loads")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--words", action="store_true")
    args = parser.parse_args()
    import torch
    import transformers
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    torch.set_num_threads(args.threads)
    transformers.logging.set_verbosity_error()
    imported = time.perf_counter()
    processor = WhisperProcessor.from_pretrained(args.weights)
    model = WhisperForConditionalGeneration.from_pretrained(args.weights, dtype=torch.float32)
    loaded = time.perf_counter()
    results = []
    for file in args.files:
        begin = time.perf_counter()
        pcm = samples.read(file)
        long = len(pcm) > 16000 * SECONDS_PER_WINDOW
        whole = dict(truncation=False, padding="longest", return_attention_mask=True) if long else {}
        inputs = processor(pcm, sampling_rate=16000, return_tensors="pt", **whole)
        options = {} if args.model.endswith(".en") else dict(task="transcribe")
        if args.words:
            options["return_token_timestamps"] = True
        with torch.no_grad():
            tokens = model.generate(**inputs, return_timestamps=True, num_beams=args.beam, do_sample=False, **options)
        tokens = tokens["sequences"] if isinstance(tokens, dict) else tokens
        text = processor.batch_decode(tokens, skip_special_tokens=True)[0]
        results.append(dict(file=file, seconds=[time.perf_counter() - begin], text=text))
    print(json.dumps(dict(
        engine=f"transformers {transformers.__version__}, torch {torch.__version__}", model=args.model, threads=args.threads,
        import_seconds=imported - started, load_seconds=loaded - imported, files=results,
        peak_rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )))


if __name__ == "__main__":
    main()
