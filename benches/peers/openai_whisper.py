#!/usr/bin/env python3
"""Times openai/whisper (PyPI `openai-whisper`, torch f32 on the CPU) on files, as a peer of whisper-rs.

    pip install openai-whisper==20250625
    python benches/peers/openai_whisper.py --model base --weights FOLDER --threads 2 [--beam 5] [--words] FILE...

At temperature 0 without fallback. FOLDER holds the CTranslate2 `model.bin` that whisper-rs uses; it is
converted once to a checkpoint of openai's own form in the cache folder, f16 as published, so that the load measured is openai's
`load_model`. Prints one JSON object.
"""
import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path

started = time.perf_counter()
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "tools"))


def checkpoint(weights, model_name):
    """openai's own `.pt` for the weights, made on first use."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "whisper-rs-bench"
    target = cache / f"{model_name}.pt"
    if not target.exists():
        import torch
        import openai_reference

        model = openai_reference.load_model(weights, model_name)
        cache.mkdir(parents=True, exist_ok=True)
        state = {name: tensor.half() for name, tensor in model.state_dict().items()}
        torch.save(dict(dims=vars(model.dims), model_state_dict=state), target.with_suffix(".tmp"))
        target.with_suffix(".tmp").rename(target)
        # The peak memory of this process would be that of the conversion: start anew.
        os.execv(sys.executable, [sys.executable, *sys.argv])
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--model", default="base")
    parser.add_argument("--weights", required=True, help="folder with the CTranslate2 model.bin")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--words", action="store_true")
    args = parser.parse_args()
    path = checkpoint(args.weights, args.model)

    import torch
    import whisper

    torch.set_num_threads(args.threads)
    imported = time.perf_counter()
    model = whisper.load_model(str(path), device="cpu")
    loaded = time.perf_counter()
    results = []
    for file in args.files:
        begin = time.perf_counter()
        result = whisper.transcribe(model, file, temperature=0.0, beam_size=args.beam if args.beam > 1 else None, best_of=None,
                                    fp16=False, verbose=None, word_timestamps=args.words)
        results.append(dict(file=file, seconds=[time.perf_counter() - begin], text=result["text"]))
    print(json.dumps(dict(
        engine=f"openai-whisper {whisper.__version__}, torch {torch.__version__}", model=args.model, threads=args.threads,
        import_seconds=imported - started, load_seconds=loaded - imported, files=results,
        peak_rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )))


if __name__ == "__main__":
    main()
