"""Writes tests/data/text: what Python's zlib and round give.

    python tests/tools/text_reference.py

Needs a Python linked with stock zlib (not zlib-ng). The texts are not stored: tests/text_matches_python.rs makes the
same ones with the same generator, and a checksum over them tells if it does not.
"""

import struct
import zlib
from pathlib import Path

from sentences import SENTENCES

OUT = Path(__file__).parent.parent / "data" / "text"
TEXTS = 24_000
LONGEST = 5000  # bytes
SCRIPTS = [(0x61, 0x7A), (0x400, 0x44F), (0x4E00, 0x4E80), (0x3040, 0x309F), (0x600, 0x6FF), (0x900, 0x97F), (0xAC00, 0xB000), (0xE01, 0xE5B), (0x1F300, 0x1F5FF)]


class Generator:
    """A linear congruential generator, the same in the test."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % n


def cut(rng, text, longest):
    start = rng.below(len(text))
    return text[start : start + 1 + rng.below(longest)]


def make_text(rng, sentences):
    kind = rng.below(8)
    sentence = sentences[rng.below(len(sentences))]
    if kind == 0:  # one to a few sentences
        text = " ".join(sentences[rng.below(len(sentences))] for _ in range(1 + rng.below(4)))
    elif kind == 1:  # a phrase in a loop
        text = cut(rng, sentence, 60) * (1 + rng.below(80))
    elif kind == 2:  # words of one sentence in any order
        words = sentence.split(" ")
        text = " ".join(words[rng.below(len(words))] for _ in range(1 + rng.below(200)))
    elif kind == 3:  # letters of one script
        low, high = SCRIPTS[rng.below(len(SCRIPTS))]
        text = "".join(" " if rng.below(6) == 0 else chr(low + rng.below(high - low)) for _ in range(rng.below(1500)))
    elif kind == 4:  # any characters
        codes = [1 + rng.below(0xD7FF) if rng.below(2) else 0x10000 + rng.below(0x100000) for _ in range(rng.below(1200))]
        text = "".join(map(chr, codes))
    elif kind == 5:  # few different letters
        letters = 1 + rng.below(5)
        text = "".join(chr(0x61 + rng.below(letters)) for _ in range(rng.below(4000)))
    elif kind == 6:  # some phrases taking turns
        phrases = [cut(rng, sentences[rng.below(len(sentences))], 80) for _ in range(1 + rng.below(4))]
        text = " ".join(phrases[rng.below(len(phrases))] for _ in range(1 + rng.below(50)))
    else:  # a transcript that runs into a loop
        text = sentence + " " + (cut(rng, sentence, 30) + " ") * rng.below(40)
    while len(text.encode()) > LONGEST:
        text = text[: len(text) // 2]
    return text


def numbers():
    rng = Generator(5)
    fixed = [0.0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, 2.675, 1.005, 0.125, 0.375, -0.125, 1e-10, 123456.785, 0.045, 1e15 + 0.5, 4.35, 29.99, 29.995]
    yield from fixed
    for n in range(1500):
        scale = 10 ** rng.below(6)
        value = rng.below(10**9) / 10**4 / scale
        if n % 3 == 0:  # an exact half in binary
            value = (2 * rng.below(100000) + 1) / 2 ** (1 + rng.below(6))
        yield -value if n % 5 == 0 else value


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    sentences = list(SENTENCES.values())
    (OUT / "sentences.txt").write_text("\n".join(sentences) + "\n")
    rng = Generator(20250625)
    checksum = 0
    sizes = []
    for _ in range(TEXTS):
        data = make_text(rng, sentences).encode()
        checksum = zlib.adler32(data, checksum)
        sizes.append(len(zlib.compress(data)))
    (OUT / "zlib_sizes.zlib").write_bytes(zlib.compress(struct.pack(f"<I{TEXTS}H", checksum, *sizes), 9))

    rows = [(x, round(x), round(x, 1), round(x, 2), round(x, 3)) for x in numbers()]
    (OUT / "round.zlib").write_bytes(zlib.compress(b"".join(struct.pack("<dqddd", *row) for row in rows), 9))
    print("zlib", zlib.ZLIB_RUNTIME_VERSION, *(f"{p.stat().st_size} {p.name}" for p in sorted(OUT.iterdir())))


if __name__ == "__main__":
    main()
