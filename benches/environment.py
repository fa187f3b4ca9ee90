"""What the comparison needs beside this repository: an interpreter with the peers' packages, and one model in the form that each peer loads.

Everything is made once, in the user's cache folder. Needs only the standard library.
"""
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

BENCHES = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "whisper-rs-bench"


def interpreter():
    """Python with the packages of requirements.txt, in a virtual environment of its own."""
    folder = CACHE / "venv"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = (BENCHES / "requirements.txt").read_text()
    done = folder / "requirements.txt"
    if not done.exists() or done.read_text() != wanted:
        print(f"installing the peers into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-r", BENCHES / "requirements.txt"], check=True, stdout=sys.stderr)
        done.write_text(wanted)
    return python


def weights(binary, python, model):
    """A folder with `transformers`, `ctranslate2`, `openai.pt`, `ggml.bin` and `ggml-q8_0.bin`: the same weights for each peer, in f16
    but for the last. Forms that the interpreter lacks the packages for are missing, and said so."""
    folder = CACHE / model
    source = folder / "transformers"
    if not source.exists():
        print(f"preparing {model} in {folder}", file=sys.stderr)
        partial = folder / "transformers.partial"
        shutil.rmtree(partial, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([binary, "models", "convert", model, partial, "--dtype", "f16"], check=True, stdout=sys.stderr)
        partial.rename(source)
    subprocess.run([python, BENCHES / "peers/prepare_weights.py", folder], check=True, stdout=sys.stderr)
    return folder
