#!/usr/bin/env python3
"""Runs a parity check over many clips and holds its differences against the committed table of exceptions.

    python3 tests/tools/parity_gate.py BIN --check PATH/parity.py --model base --kind greedy_nowords [--pcm ffmpeg]

The check prints `CLIP: what differs` for each clip that is not equal to openai/whisper's result, then a line of totals. A clip that
differs must stand in docs/parity-exceptions.md for this model, kind and way of decoding, and its first difference must begin as the
table says; so must every clip of the table still differ. Anything else, and any clip that failed to run, fails. Standard library only.
"""
import argparse
import subprocess
import sys
from pathlib import Path

TABLE = Path(__file__).resolve().parents[2] / "docs" / "parity-exceptions.md"
COLUMNS = ("model", "kind", "samples", "clip", "first difference", "cause")


def exceptions(path, model, kind, samples):
    """{clip: how its first difference begins} from the table's rows for this run."""
    found, columns = {}, None
    for line in path.read_text().splitlines():
        if not line.startswith("|"):
            columns = None
            continue
        cells = [cell.strip().strip("`") for cell in line.strip("|\n ").split("|")]
        if columns is None:
            columns = tuple(cells[: len(COLUMNS)])
            if columns != COLUMNS:
                sys.exit(f"{path}: the columns of the table are {', '.join(COLUMNS)}")
            continue
        if set(line) <= set("|-: "):
            continue
        if len(cells) != len(COLUMNS) or not all(cells):
            sys.exit(f"{path}: this row lacks a cell: {line}")
        if (cells[0], cells[1], cells[2]) == (model, kind, samples):
            found[cells[3]] = cells[4]
    return found


def begins_with(difference, beginning):
    """Whether the difference begins so, up to the end of a word: `token 1` is not the beginning of `token 12`."""
    return difference.startswith(beginning) and not difference[len(beginning) : len(beginning) + 1].isalnum()


def run_check(args):
    """(differences by clip, totals line, exit code), echoing what the check prints as it comes."""
    # --strict refuses settings that are not proven: these are the ones that prove them.
    command = [sys.executable, "-u", args.check, args.bin, "--model", args.model, "--kind", args.kind, "--extra=--strict"]
    if args.pcm:
        command += ["--pcm", args.pcm]
    differing, totals = {}, None
    # One stream, so that what the check says when it stops early is seen too.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            print("  " + line.rstrip(), flush=True)
            head, separator, rest = line.rstrip().partition(": ")
            if head == f"{args.model} {args.kind}":
                totals = rest
            elif separator and " " not in head:
                differing[head] = rest
    return differing, totals, process.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin")
    parser.add_argument("--check", required=True, help="the parity check to run")
    parser.add_argument("--model", required=True)
    parser.add_argument("--kind", required=True)
    parser.add_argument("--pcm", choices=["ffmpeg"], help="who decodes the clips; without it the binary does")
    parser.add_argument("--table", type=Path, default=TABLE)
    args = parser.parse_args()
    samples = args.pcm or "own"
    allowed = exceptions(args.table, args.model, args.kind, samples)
    differing, totals, code = run_check(args)

    problems = []
    if totals is None:
        problems.append(f"the check stopped before its totals, exit {code}")
    elif code and not differing:
        problems.append(f"the check failed with exit {code} and named no clip")
    for clip, difference in differing.items():
        if clip not in allowed:
            problems.append(f"{clip} differs and is not in {args.table.name}")
        elif not begins_with(difference, allowed[clip]):
            problems.append(f"{clip} differs at '{difference}', {args.table.name} has '{allowed[clip]}'")
    if totals is not None:
        problems += [f"{clip} is in {args.table.name} and no longer differs: remove its row" for clip in allowed if clip not in differing]
    for problem in problems:
        print(f"  PROBLEM: {problem}")
    print(f"parity {args.model} {args.kind}, samples by {'ffmpeg' if args.pcm else 'whisper-rs'}: {len(differing)} clips differ, "
          f"{len(allowed)} in the table, {len(problems)} problems", flush=True)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
