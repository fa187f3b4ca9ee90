#!/usr/bin/env python3
"""Makes the pictures of this folder: what whisper-rs itself shows, on a terminal and in a browser.

    pip install -r docs/pictures/requirements.txt
    python3 docs/pictures/make.py target/release/whisper-rs

The terminal is a pseudo terminal in which the program runs, and the picture its screen at the last moment that a progress bar was
there. The report is the page of `eval --html`, photographed by Chromium, which has to be on the PATH.
"""
import argparse
import html
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from fcntl import ioctl
from io import BytesIO
from pathlib import Path
from termios import TIOCSWINSZ

import pyte
from PIL import Image

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COLUMNS, ROWS = 118, 24
LARGEST = 100_000

# The terminal's commands, as a user types them.
SESSION = [
    "transcribe tests/data/jfk.wav",
    "transcribe tests/data/clips/sonnet1.flac --clip_timestamps 0,36 --word_timestamps -f srt -o subtitles",
]
# The report: clips in English and what nobody said.
EVALUATION = "eval tests/data/manifest.tsv --model tiny.en --word_timestamps True --only en --html".split()
REPORT_SIZE = (1100, 900)

# Geometry and colours of the drawn terminal, in pixels of the SVG.
CELL, LINE, MARGIN = 8.4, 19, 14
FOREGROUND, BACKGROUND = "#d8dee9", "#1b1f27"
NAMED = {
    "black": "#3b4252", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b",
    "blue": "#61afef", "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#e5e9f0",
}


def run_on_terminal(command, screen, stream, work):
    """Runs `command` on a pseudo terminal that `screen` shows; gives its last picture with a progress bar, or that at the end."""
    stream.feed(f"\x1b[1m$ whisper-rs {command}\x1b[0m\r\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        arguments = command.replace("-o subtitles", f"-o {work}/subtitles").split()
        os.execve(BIN, ["whisper-rs", *arguments], {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
    ioctl(terminal, TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    with_bar = None
    while True:
        try:
            read = os.read(terminal, 65536)
        except OSError:  # Linux reports the end of a pseudo terminal so.
            break
        if not read:
            break
        stream.feed(read.decode("utf-8", "replace"))
        if any("x real time" in line for line in screen.display):
            with_bar = picture_of(screen)
    _, status = os.waitpid(pid, 0)
    if status:
        sys.exit(f"whisper-rs {command}: status {status}\n" + "\n".join(screen.display))
    return with_bar or picture_of(screen)


def colour(name):
    """The CSS colour of one that pyte names: `default`, `red`, `brightred` or six hexadecimal digits."""
    if re.fullmatch("[0-9a-f]{6}", name):
        return f"#{name}"
    return NAMED.get(name.removeprefix("bright"), FOREGROUND)


def picture_of(screen):
    """The screen's lines as runs of one style: [(column, text, colour, bold)]."""
    lines = []
    for row in range(screen.lines):
        runs = []
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            style = (colour(cell.fg), cell.bold)
            if runs and runs[-1][2:] == style:
                runs[-1] = (runs[-1][0], runs[-1][1] + cell.data, *style)
            else:
                runs.append((column, cell.data, *style))
        lines.append([run for run in runs if run[1].strip()])
    while lines and not lines[-1]:
        lines.pop()
    return lines


def svg(lines):
    """The lines as a drawing, each run exactly as wide as its cells in whatever font there is."""
    width, height = COLUMNS * CELL + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">',
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
        '<g font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14">',
    ]
    for row, runs in enumerate(lines):
        for column, text, fill, bold in runs:
            column += len(text) - len(text.lstrip())
            # What looks at the picture draws several spaces as one.
            text = text.strip().replace("  ", "\N{NO-BREAK SPACE}" * 2)
            weight = ' font-weight="bold"' if bold else ""
            parts.append(
                f'<text x="{MARGIN + column * CELL:.1f}" y="{MARGIN + row * LINE + 14}" textLength="{len(text) * CELL:.1f}" '
                f'lengthAdjust="spacingAndGlyphs" fill="{fill}"{weight}>{html.escape(text, quote=False)}</text>'
            )
    return "\n".join([*parts, "</g>", "</svg>", ""])


def photograph(page, picture):
    """A PNG of the page's beginning, in few colours so that it is small."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("there is no Chromium on the PATH")
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             f"--user-data-dir={folder}/profile", f"--window-size={REPORT_SIZE[0]},{REPORT_SIZE[1]}", "--virtual-time-budget=5000",
             f"--screenshot={shot}", page.as_uri()],
            check=True, stderr=subprocess.DEVNULL, timeout=120,
        )
        image = Image.open(shot).convert("RGB")
    small = BytesIO()
    image.quantize(48, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    picture.write_bytes(small.getvalue())


def main():
    terminal, report = HERE / "terminal.svg", HERE / "report.png"
    with tempfile.TemporaryDirectory() as work:
        screen = pyte.Screen(COLUMNS, ROWS)
        stream = pyte.Stream(screen)
        for command in SESSION:
            lines = run_on_terminal(command, screen, stream, work)
        terminal.write_text(svg(lines))
        page = Path(work) / "report.html"
        subprocess.run([BIN, *EVALUATION, page], cwd=ROOT, check=True)
        photograph(page, report)
    for picture in (terminal, report):
        print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size} bytes")
        if picture.stat().st_size > LARGEST:
            sys.exit(f"{picture} is larger than {LARGEST} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", help="the whisper-rs to show")
    BIN = str(Path(parser.parse_args().bin).resolve())
    main()
