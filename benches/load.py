#!/usr/bin/env python3
"""Loading one model from each format, beside faster-whisper and openai/whisper: seconds and peak host memory.

    cargo build --release
    python3 benches/load.py --python VENV/bin/python --runs 7 \\
        --ours FILE_OR_FOLDER ... --ctranslate2 FOLDER --openai FILE.pt

Each load is a process of its own that has loaded nothing before; the engines take turns, in an order that turns round after each
round, so that a machine that slows down slows all. Files are in the page cache: a first round is not counted. `seconds` is
from the path to a model that can transcribe, after the engine's own start. Memory is what the load adds to the resident
memory: `peak` at most, the model among it (all three keep it in host memory on a CPU), `over` without the model's parameters in f32. For
whisper-rs, `beside` is what bringing the file's tensors to f32 takes one after the other, as for a device with memory of its own. Prints a table of medians; ratios are of whisper-rs to each peer, below 1 it is faster. Linux. Needs only the standard library; the
peers' interpreter needs `openai-whisper` and `faster-whisper`.
"""
import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def measure(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def bytes_of(path):
    """Size of a peer's weights."""
    path = Path(path)
    return (path / "model.bin" if path.is_dir() else path).stat().st_size


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=ROOT / "target/release/whisper-rs")
    parser.add_argument("--ours", nargs="+", required=True, help="files or folders for whisper-rs")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--ctranslate2", help="folder with model.bin for faster-whisper")
    parser.add_argument("--openai", help=".pt file for openai/whisper")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", help="file for all measurements")
    args = parser.parse_args()

    engines = {}
    for path in args.ours:
        engines[f"whisper-rs {path}"] = [args.bin, "bench", "load", path, "--device", "cpu", "--json"]
    peer = [args.python, ROOT / "benches/peers/load.py"]
    if args.ctranslate2:
        engines["faster-whisper"] = [*peer, "faster-whisper", args.ctranslate2, "--threads", str(args.threads)]
    if args.openai:
        engines["openai-whisper"] = [*peer, "openai-whisper", args.openai, "--threads", str(args.threads)]

    runs = {name: [] for name in engines}
    for round in range(args.runs + 1):
        names = list(engines) if round % 2 else list(reversed(engines))
        for name in names:
            found = measure(engines[name])
            if round:
                runs[name].append(found)

    median = lambda name, key: statistics.median(run[key] for run in runs[name])
    ours = [name for name in engines if name.startswith("whisper-rs ")]
    tensors = runs[ours[0]][0]["tensor_bytes"]
    print(f"model of {tensors / 1e6:.0f} MB in f32; medians of {args.runs} processes each\n")
    peers = [name for name in engines if name not in ours]
    titles = ["load", "format", "file, MB", "seconds", "least", "peak, MB", "over, MB", "beside, MB", "beside / file", *(f"time / {name}" for name in peers)]
    print("| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
    for name in engines:
        first = runs[name][0]
        size = first.get("file_bytes") or bytes_of(first["path"])
        seconds, peak = median(name, "seconds"), median(name, "peak_bytes")
        beside = median(name, "beside_tensors_bytes") if name in ours else None
        row = [Path(name.removeprefix("whisper-rs ")).name if name in ours else first["engine"], first.get("format", ""),
               f"{size / 1e6:.0f}", f"{seconds:.3f}", f"{min(run['seconds'] for run in runs[name]):.3f}", f"{peak / 1e6:.0f}", f"{(peak - tensors) / 1e6:.0f}",
               *((f"{beside / 1e6:.0f}", f"{beside / size:.2f}") if beside else ("", "")),
               *(f"{seconds / median(peer, 'seconds'):.2f}" for peer in peers)]
        print("| " + " | ".join(row) + " |")
    if args.json:
        Path(args.json).write_text(json.dumps(runs, indent=1))


if __name__ == "__main__":
    main()
