#!/usr/bin/env python3
"""whisper-rs beside openai/whisper on the same files: wall time and peak memory, in alternation, with the same threads.

    cargo build --release
    python3 benches/compare.py --python VENV/bin/python --weights FOLDER --runs 5 FILE...

Each run is one process per engine and file, so that both start cold: first one engine, then the other, and the order turns round
after each run, so that a machine that slows down slows both. `process` is the wall time of the whole process (start, model, audio,
transcript), `transcribe` that of audio and transcript alone: the peer times it itself, for whisper-rs the wall time of a run on
a file of zero samples is taken off. Needs only the standard library;
the peer's interpreter needs `openai-whisper`. --threads pins both to that many cores where the system can (Linux).
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GREEDY = "--temperature 0 --temperature_increment_on_fallback None --beam_size None --best_of None".split()


def run(command, cores):
    """Runs a process; (wall seconds, peak MiB, stdout, stderr)."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, preexec_fn=pin)
        # wait4 gives the resources of this one child, where getrusage(RUSAGE_CHILDREN) gives the largest so far.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        stdout, stderr = out.read(), err.read()
    if process.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit {process.returncode}\n{stderr[-2000:]}")
    return seconds, usage.ru_maxrss / 1024, stdout, stderr


class WhisperRs:
    name = "whisper-rs"

    def __init__(self, args):
        self.args = args

    def measure(self, file, cores):
        start = self.process(self.empty_file(), cores, "--language", "en")["process"]
        measured = self.process(file, cores)
        return dict(measured, transcribe=measured["process"] - start)

    def process(self, file, cores, *more):
        with tempfile.TemporaryDirectory() as folder:
            command = [self.args.bin, "transcribe", file, "--model", self.args.model, "--threads", str(self.args.threads),
                       "--output_format", "json", "--output_dir", folder, *GREEDY, *more]
            seconds, memory, _, _ = run(command, cores)
            (made,) = Path(folder).glob("*.json")
            return dict(process=seconds, memory=memory, text=json.loads(made.read_text())["text"])

    def empty_file(self):
        path = Path(tempfile.gettempdir()) / "whisper-rs-zero-samples.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
        return path


class OpenaiWhisper:
    name = "openai-whisper"

    def __init__(self, args):
        self.args = args

    def measure(self, file, cores):
        command = [self.args.python, ROOT / "benches/peers/openai_whisper.py", file, "--model", self.args.model,
                   "--weights", self.args.weights, "--threads", str(self.args.threads)]
        seconds, memory, stdout, _ = run(command, cores)
        report = json.loads(stdout.splitlines()[-1])
        entry = report["files"][0]
        return dict(process=seconds, memory=memory, text=entry["text"], transcribe=entry["seconds"][0])


def summary(values):
    """Median and range."""
    values = [v for v in values if v is not None]
    return None if not values else (statistics.median(values), min(values), max(values))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--bin", default=ROOT / "target/release/whisper-rs")
    parser.add_argument("--python", default=sys.executable, help="interpreter that has openai-whisper")
    parser.add_argument("--weights", required=True, help="folder with the CTranslate2 model.bin, for the peer")
    parser.add_argument("--model", default="base")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write every measurement to this file")
    args = parser.parse_args()

    cores = set(sorted(os.sched_getaffinity(0))[: args.threads]) if hasattr(os, "sched_setaffinity") else None
    engines = [WhisperRs(args), OpenaiWhisper(args)]
    for engine in engines:  # one unmeasured run: disk caches, first-use conversions
        engine.measure(args.files[0], cores)
    results = []
    for file in args.files:
        runs = {engine.name: [] for engine in engines}
        for index in range(args.runs):
            for engine in engines if index % 2 == 0 else reversed(engines):
                runs[engine.name].append(engine.measure(file, cores))
        results.append(dict(file=file, runs=runs))
        report(file, args, runs)
    if args.json:
        args.json.write_text(json.dumps(dict(model=args.model, threads=args.threads, results=results), indent=1) + "\n")


def report(file, args, runs):
    print(f"{Path(file).name}, {args.model}, {args.threads} threads, {args.runs} runs")
    for measure, unit in (("process", "s"), ("transcribe", "s"), ("memory", "MiB")):
        ours, theirs = (summary(r[measure] for r in runs[name]) for name in (WhisperRs.name, OpenaiWhisper.name))
        cells = "   ".join(f"{name} {s[0]:8.2f} ({s[1]:.2f} to {s[2]:.2f}) {unit}" if s else f"{name} not reported"
                           for name, s in ((WhisperRs.name, ours), (OpenaiWhisper.name, theirs)))
        # Each pair ran side by side, so their ratio suffers least from what else the machine does.
        pairs = [a[measure] / b[measure] for a, b in zip(runs[WhisperRs.name], runs[OpenaiWhisper.name]) if a[measure] and b[measure]]
        ratio = f"   ratio {statistics.median(pairs):.3f} ({min(pairs):.3f} to {max(pairs):.3f})" if pairs else ""
        print(f"  {measure:<10} {cells}{ratio}")
    same = {r["text"] for all_runs in runs.values() for r in all_runs}
    print("  text       " + ("equal" if len(same) == 1 else "DIFFERS"))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
