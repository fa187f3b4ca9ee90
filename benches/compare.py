#!/usr/bin/env python3
"""whisper-rs beside other engines on the same files: wall time, CPU time and peak memory, in alternation, with the same threads.

    cargo build --release
    python3 benches/compare.py [--model base] [--runs 5] [--peers openai-whisper ...] [--decoding greedy beam words] [FILE...]

does everything: the peers' packages (requirements.txt) are installed into a virtual environment in the user's cache folder, the model's
weights are put beside it in each peer's form, and FILE is tests/data/jfk.wav. --python takes an interpreter that has the packages instead.

Peers are openai-whisper and transformers (torch f32), faster-whisper (float32), faster-whisper-int8, whisper.cpp (f16) and whisper.cpp-q8_0
(a file given by --ggml_q8_0); whisper-rs runs once for each of --compute_types, and everything is compared with the first; decoding is
greedy, with a beam of 5, or greedy with word timestamps, at temperature 0 without fallback.

Each run is one process per engine and file, so that all start cold: one engine after the other, and the order turns round after each
run, so that a machine that slows down slows all. `process` is the wall time of the whole process (start, model, audio,
transcript), `transcribe` that of audio and transcript alone: the peer times it itself, for whisper-rs the wall time of a run on
a file of zero samples is taken off. Needs only the standard library, and ffmpeg on the PATH. --threads pins all to that many cores
where the system can (Linux).
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

import environment

ROOT = Path(__file__).resolve().parent.parent
TEMPERATURE_0 = "--temperature 0 --temperature_increment_on_fallback None --best_of None".split()
DECODING = {
    "greedy": ["--beam_size", "None"],
    "beam": ["--beam_size", "5"],
    "words": ["--beam_size", "None", "--word_timestamps", "True"],
}
PEERS = ["openai-whisper", "transformers", "faster-whisper", "faster-whisper-int8", "whisper.cpp"]
PEER_DECODING = {"greedy": [], "beam": ["--beam", "5"], "words": ["--words"]}


def run(command, cores):
    """Runs a process; (wall seconds, CPU seconds, peak MiB, stdout)."""
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
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, stdout


class WhisperRs:
    def __init__(self, args, compute_type):
        self.args, self.compute_type = args, compute_type
        self.name = f"whisper-rs {compute_type}"

    def measure(self, file, cores, decoding):
        start = self.process(self.empty_file(), cores, decoding, "--language", "en")["process"]
        measured = self.process(file, cores, decoding)
        return dict(measured, transcribe=measured["process"] - start)

    def process(self, file, cores, decoding, *more):
        with tempfile.TemporaryDirectory() as folder:
            command = [self.args.bin, "transcribe", file, "--model", self.args.model, "--threads", str(self.args.threads),
                       "--compute_type", self.compute_type, "--output_format", "json", "--output_dir", folder, *TEMPERATURE_0, *DECODING[decoding], *more]
            seconds, cpu, memory, _ = run(command, cores)
            (made,) = Path(folder).glob("*.json")
            return dict(process=seconds, cpu=cpu, memory=memory, text=json.loads(made.read_text())["text"])

    def empty_file(self):
        path = Path(tempfile.gettempdir()) / "whisper-rs-zero-samples.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
        return path


class Peer:
    def __init__(self, args, name):
        self.args, self.name = args, name
        script, weights, *more = {
            "openai-whisper": ["openai_whisper.py", "openai.pt"],
            "transformers": ["run_transformers.py", "transformers"],
            "faster-whisper": ["run_faster_whisper.py", "ctranslate2"],
            "faster-whisper-int8": ["run_faster_whisper.py", "ctranslate2", "--compute_type", "int8"],
            "whisper.cpp": ["run_whisper_cpp.py", "ggml.bin"],
            "whisper.cpp-q8_0": ["run_whisper_cpp.py", args.ggml_q8_0],
        }[name]
        self.command = [args.python, ROOT / "benches/peers" / script, "--model", args.model, "--weights", args.weights / (weights or ""),
                        "--threads", str(args.threads), *more]

    def measure(self, file, cores, decoding):
        seconds, cpu, memory, stdout = run([*self.command, *PEER_DECODING[decoding], file], cores)
        entry = json.loads(stdout.splitlines()[-1])["files"][0]
        return dict(process=seconds, cpu=cpu, memory=memory, text=entry["text"], transcribe=entry["seconds"][0])


def summary(values):
    """Median and range."""
    values = [v for v in values if v is not None]
    return None if not values else (statistics.median(values), min(values), max(values))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", default=[str(ROOT / "tests/data/jfk.wav")], help="16 kHz mono 16-bit WAV for whisper.cpp")
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release/whisper-rs")
    parser.add_argument("--python", help="interpreter that has the peers' packages; by default one is made")
    parser.add_argument("--model", default="base")
    parser.add_argument("--peers", nargs="*", default=PEERS, choices=[*PEERS, "whisper.cpp-q8_0"])
    parser.add_argument("--ggml_q8_0", help="the model's ggml file in q8_0, for whisper.cpp-q8_0")
    parser.add_argument("--compute_types", nargs="*", default=["auto"], help="the compute types of whisper-rs")
    parser.add_argument("--decoding", nargs="*", default=["greedy"], choices=DECODING)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write every measurement to this file")
    args = parser.parse_args()
    if not args.bin.exists():
        parser.error(f"{args.bin} is not there: cargo build --release, or give --bin")
    args.python = args.python or environment.interpreter()
    args.weights = environment.weights(args.bin, args.python, args.model)
    if "whisper.cpp-q8_0" in args.peers and not args.ggml_q8_0:
        parser.error("whisper.cpp-q8_0 needs --ggml_q8_0")

    cores = set(sorted(os.sched_getaffinity(0))[: args.threads]) if hasattr(os, "sched_setaffinity") else None
    engines = [*(WhisperRs(args, compute_type) for compute_type in args.compute_types), *(Peer(args, name) for name in args.peers)]
    for engine in engines:  # one unmeasured run: disk caches, first-use conversions
        engine.measure(args.files[0], cores, args.decoding[0])
    results = []
    for file in args.files:
        # By decoding and engine. Ways to decode take turns too, so that they compare with each other.
        runs = {decoding: {engine.name: [] for engine in engines} for decoding in args.decoding}
        for index in range(args.runs):
            for decoding in args.decoding:
                for engine in engines if index % 2 == 0 else reversed(engines):
                    runs[decoding][engine.name].append(engine.measure(file, cores, decoding))
        results.append(dict(file=file, runs=runs))
        for decoding in args.decoding:
            report(file, args, decoding, runs[decoding])
        of_greedy(args, runs)
    if args.json:
        args.json.write_text(json.dumps(dict(model=args.model, threads=args.threads, results=results), indent=1) + "\n")


def ratio(ours, theirs, measure):
    """Ours over theirs, of the runs that were side by side: their ratio suffers least from what else the machine does."""
    pairs = [a[measure] / b[measure] for a, b in zip(ours, theirs) if a[measure] and b[measure]]
    return f"{statistics.median(pairs):.3f} ({min(pairs):.3f} to {max(pairs):.3f})" if pairs else "-"


def report(file, args, decoding, runs):
    print(f"{Path(file).name}, {args.model}, {decoding}, {args.threads} threads, {args.runs} runs")
    first, *_ = runs
    ours = runs[first]
    for name, measured in runs.items():
        for measure, unit in (("process", "s"), ("transcribe", "s"), ("cpu", "s"), ("memory", "MiB")):
            middle, least, most = summary(r[measure] for r in measured)
            beside = "" if name == first else f"   {first} takes {ratio(ours, measured, measure)} of it"
            print(f"  {name:<20} {measure:<10} {middle:8.2f} ({least:.2f} to {most:.2f}) {unit}{beside}")
        if {r["text"].split() == ours[0]["text"].split() for r in measured} != {True}:
            print(f"  {name:<20} text       DIFFERS")
    sys.stdout.flush()


def of_greedy(args, runs):
    """What a beam or words cost each engine."""
    for decoding in args.decoding:
        if "greedy" in runs and decoding != "greedy":
            for name, measured in runs[decoding].items():
                for measure in ("process", "transcribe", "cpu"):
                    print(f"  {decoding} / greedy, {name}: {measure} {ratio(measured, runs['greedy'][name], measure)}")


if __name__ == "__main__":
    main()
