#!/usr/bin/env python3
"""whisper-rs beside other engines on the same files: wall time, CPU time, peak memory and accuracy, in alternation, with the same threads.

    cargo build --release
    python3 benches/compare.py [--model tiny.en base] [--runs 5] [--peers openai-whisper ...] [--decoding greedy beam words] [FILE...]

does everything: the peers' packages (requirements.txt) are installed into a virtual environment in the user's cache folder, the
models' weights are put beside it in each peer's form, and FILE is tests/data/jfk.wav. --python takes an interpreter that has the packages
instead; a peer whose package or weights it lacks is left out, and said so.

Peers are openai-whisper and transformers (torch f32), faster-whisper (float32), faster-whisper-int8, whisper.cpp (f16) and whisper.cpp-q8_0;
whisper-rs runs once for each of --compute_types, and everything is compared with the first; decoding is
greedy, with a beam of 5, or greedy with word timestamps, at temperature 0 without fallback.

Each run is one process per engine and file, so that all start cold: one engine after the other, and the order turns round after each
run, so that a machine that slows down slows all. Each model, file and way to decode is run once before any is run again, so that
--minutes, after which nothing more is begun, costs repetitions first. `process` is the wall time of the whole process (start, model, audio,
transcript), `transcribe` that of audio and transcript alone: the peer times it itself, for whisper-rs the wall time of a run on
a file of zero samples is taken off. `windows` is how many windows have the very tokens of openai-whisper's run, where that is among the
peers; `words` how many words differ from that run's, and `errors` from FILE.txt beside FILE, where that is. --threads pins all to that
many cores, of different physical ones where there are enough (Linux). Needs only the standard library, and ffmpeg for FILEs other than
16 kHz mono 16-bit WAV.
"""
import argparse
import json
import os
import re
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
PEERS = ["openai-whisper", "transformers", "faster-whisper", "faster-whisper-int8", "whisper.cpp", "whisper.cpp-q8_0"]
REFERENCE = "openai-whisper"
PEER_DECODING = {"greedy": [], "beam": ["--beam", "5"], "words": ["--words"]}


class Failed(Exception):
    """A process that ended with an error."""


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
        raise Failed(f"{' '.join(map(str, command))}: exit {process.returncode}\n{stderr[-2000:]}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, stdout


class WhisperRs:
    def __init__(self, args, model, compute_type):
        self.args, self.model, self.compute_type = args, model, compute_type
        self.name = f"whisper-rs {compute_type}"

    def measure(self, file, cores, decoding):
        with tempfile.TemporaryDirectory() as folder:
            start = self.process(empty_file(Path(folder)), cores, decoding, "--language", "en")["process"]
        measured = self.process(file, cores, decoding)
        return dict(measured, transcribe=measured["process"] - start)

    def process(self, file, cores, decoding, *more):
        with tempfile.TemporaryDirectory() as folder:
            command = [self.args.bin, "transcribe", file, "--model", self.model, "--threads", str(self.args.threads),
                       "--compute_type", self.compute_type, "--output_format", "json", "--output_dir", folder, *TEMPERATURE_0, *DECODING[decoding], *more]
            seconds, cpu, memory, _ = run(command, cores)
            (made,) = Path(folder).glob("*.json")
            result = json.loads(made.read_text())
            return dict(process=seconds, cpu=cpu, memory=memory, text=result["text"], windows=windows(result["segments"]))


def empty_file(folder):
    path = folder / "zero-samples.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
    return path


class Peer:
    def __init__(self, args, model, weights_of_model, name):
        self.name = name
        script, weights, *more = {
            "openai-whisper": ["openai_whisper.py", "openai.pt"],
            "transformers": ["run_transformers.py", "transformers"],
            "faster-whisper": ["run_faster_whisper.py", "ctranslate2"],
            "faster-whisper-int8": ["run_faster_whisper.py", "ctranslate2", "--compute_type", "int8"],
            "whisper.cpp": ["run_whisper_cpp.py", "ggml.bin"],
            "whisper.cpp-q8_0": ["run_whisper_cpp.py", "ggml-q8_0.bin"],
        }[name]
        self.command = [args.python, ROOT / "benches/peers" / script, "--model", model, "--weights", weights_of_model / weights,
                        "--threads", str(args.threads), *more]

    def measure(self, file, cores, decoding):
        seconds, cpu, memory, stdout = run([*self.command, *PEER_DECODING[decoding], file], cores)
        entry = json.loads(stdout.splitlines()[-1])["files"][0]
        measured = dict(process=seconds, cpu=cpu, memory=memory, text=entry["text"], transcribe=entry["seconds"][0])
        return dict(measured, windows=windows(entry["segments"])) if "segments" in entry else measured


def windows(segments):
    """The tokens of each window, by where it begins."""
    tokens = {}
    for segment in segments:
        tokens.setdefault(str(segment["seek"]), []).extend(segment["tokens"])
    return tokens


def summary(values):
    """Median and range."""
    values = [v for v in values if v is not None]
    return None if not values else (statistics.median(values), min(values), max(values))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", default=[str(ROOT / "tests/data/jfk.wav")])
    parser.add_argument("--bin", type=Path, default=ROOT / "target/release/whisper-rs")
    parser.add_argument("--python", help="interpreter that has the peers' packages; by default one is made")
    parser.add_argument("--model", nargs="+", default=["base"])
    parser.add_argument("--peers", nargs="*", default=PEERS, choices=PEERS)
    parser.add_argument("--compute_types", nargs="+", default=["auto"], help="the compute types of whisper-rs")
    parser.add_argument("--decoding", nargs="+", default=["greedy"], choices=DECODING)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="after so long, no further run is begun")
    parser.add_argument("--json", type=Path, help="also write every measurement to this file")
    args = parser.parse_args()
    begin = time.monotonic()
    if not args.bin.exists():
        parser.error(f"{args.bin} is not there: cargo build --release, or give --bin")
    args.python = args.python or environment.interpreter()
    cores = physical_cores(args.threads) if hasattr(os, "sched_setaffinity") else None
    engines = {model: engines_that_run(args, model, cores) for model in args.model}
    # By model, file, decoding and engine.
    cases = [(model, file, decoding) for model in args.model for file in args.files for decoding in args.decoding]
    runs = {case: {engine.name: [] for engine in engines[case[0]]} for case in cases}
    for index in range(args.runs):
        for case in cases:
            model, file, decoding = case
            if time.monotonic() - begin > 60 * args.minutes:
                break
            for engine in list(engines[model] if index % 2 == 0 else reversed(engines[model])):
                try:
                    runs[case][engine.name].append(engine.measure(file, cores, decoding))
                except Failed as error:
                    print(f"{engine.name} is left out from here on with {model}: {error}", file=sys.stderr)
                    engines[model].remove(engine)
            if args.json:  # After each, so that nothing is lost to what ends the process.
                write(args, runs)
    for case in cases:
        report(args, case, runs[case])
        if case[2] != "greedy" and "greedy" in args.decoding:
            beside_greedy(case, runs[case], runs[case[0], case[1], "greedy"])


def physical_cores(count):
    """So many of the cores that this process may use: no two hardware threads of one, where there are enough."""
    allowed, siblings, chosen = sorted(os.sched_getaffinity(0)), set(), []
    for core in allowed:
        path = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
        those = path.read_text() if path.exists() else str(core)
        if those not in siblings:
            siblings.add(those)
            chosen.append(core)
    return set((chosen + [core for core in allowed if core not in chosen])[:count])


def engines_that_run(args, model, cores):
    """whisper-rs and the peers, each of which has run once: disk caches, first-use conversions."""
    weights = environment.weights(args.bin, args.python, model) if args.peers else None
    engines = [WhisperRs(args, model, compute_type) for compute_type in args.compute_types]
    engines += [Peer(args, model, weights, name) for name in args.peers]
    run = []
    for engine in engines:
        try:
            engine.measure(args.files[0], cores, args.decoding[0])
            run.append(engine)
        except Failed as error:
            print(f"{engine.name} is left out with {model}: {error}", file=sys.stderr)
    return run


def write(args, runs):
    results = [dict(model=model, file=file, decoding=decoding, runs=measured) for (model, file, decoding), measured in runs.items()]
    args.json.write_text(json.dumps(dict(threads=args.threads, results=results), indent=1) + "\n")


def ratio(ours, theirs, measure):
    """Ours over theirs, of the runs that were side by side: their ratio suffers least from what else the machine does."""
    pairs = [a[measure] / b[measure] for a, b in zip(ours, theirs) if a[measure] and b[measure]]
    return f"{statistics.median(pairs):.3f} ({min(pairs):.3f} to {max(pairs):.3f})" if pairs else "-"


def report(args, case, runs):
    model, file, decoding = case
    first = next((name for name, measured in runs.items() if measured), None)
    if first is None:
        print(f"{Path(file).name}, {model}, {decoding}: not reached in {args.minutes:g} minutes")
        return
    ours = runs[first]
    print(f"{Path(file).name}, {model}, {decoding}, {args.threads} threads, {len(ours)} runs")
    for name, measured in runs.items():
        if not measured:
            continue
        for measure, unit in (("process", "s"), ("transcribe", "s"), ("cpu", "s"), ("memory", "MiB")):
            middle, least, most = summary(r[measure] for r in measured)
            beside = "" if name == first else f"   {first} takes {ratio(ours, measured, measure)} of it"
            print(f"  {name:<20} {measure:<10} {middle:8.2f} ({least:.2f} to {most:.2f}) {unit}{beside}")
        for line in accuracy(file, measured[0], runs.get(REFERENCE)):
            print(f"  {name:<20} {line}")
    sys.stdout.flush()


def accuracy(file, measured, reference):
    """Lines on a run's tokens and words beside those of the reference's run, and its words beside the transcript's."""
    if reference:
        expected = reference[0]
        if "windows" in measured:
            equal = sum(measured["windows"].get(seek) == tokens for seek, tokens in expected["windows"].items())
            yield f"windows    {equal} of {len(expected['windows'])} have the tokens of {REFERENCE}"
        differing, of = word_errors(expected["text"], measured["text"])
        yield f"words      {differing} of {of} differ from those of {REFERENCE}"
    transcript = Path(file).with_suffix(".txt")
    if transcript.exists():
        errors, of = word_errors(transcript.read_text(), measured["text"])
        yield f"errors     {errors} in {of} words, {100 * errors / max(of, 1):.2f} %"


def word_errors(expected, text):
    """Words inserted, deleted and replaced, and how many there should be; letters and digits alone count."""
    expected, text = (re.findall(r"[^\W_]+", words.lower().replace("'", "")) for words in (expected, text))
    row = list(range(len(text) + 1))
    for i, word in enumerate(expected):
        corner, row[0] = row[0], i + 1
        for j, other in enumerate(text):
            corner, row[j + 1] = row[j + 1], min(corner + (word != other), row[j] + 1, row[j + 1] + 1)
    return row[-1], len(expected)


def beside_greedy(case, runs, greedy):
    """What a beam or words cost each engine."""
    for name, measured in runs.items():
        for measure in ("process", "transcribe", "cpu"):
            print(f"  {case[2]} / greedy, {name}: {measure} {ratio(measured, greedy[name], measure)}")


if __name__ == "__main__":
    main()
