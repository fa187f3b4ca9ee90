"""Texts, and what openai/whisper's normalisers make of them.

    python tests/tools/normalizer_reference.py write
    python tests/tools/normalizer_reference.py random --count 200000 --seed 7 > texts.jsonl

`write` makes tests/data/compare/normalizers.json.zlib. `random` prints more of the same to compare once, by
`NORMALIZER_TEXTS=texts.jsonl cargo test --workspace --test normalizers_match_openai`. Both need
`pip install openai-whisper==20250625`. The texts are drawn from a seeded generator.
"""

import argparse
import json
import random
import sys
import unicodedata
import zlib
from pathlib import Path

from sentences import SENTENCES as BY_LANGUAGE
from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer

OUT = Path(__file__).parent.parent / "data" / "compare" / "normalizers.json.zlib"
COUNT = 9000
SENTENCES = list(BY_LANGUAGE.values())
ENGLISH = EnglishTextNormalizer()
BASIC = [BasicTextNormalizer(remove_diacritics=d, split_letters=s) for d in (False, True) for s in (False, True)]

NUMBERS = ENGLISH.standardize_numbers
NUMBER_WORDS = sorted(NUMBERS.words)
SMALL = [w for m in (NUMBERS.ones, NUMBERS.tens, NUMBERS.zeros) for w in m]
MULTIPLIERS = list(NUMBERS.multipliers)
UNITS = ["dollars", "dollar", "cents", "cent", "pounds", "euros", "percent", "per cent", "per", "minus", "negative", "plus", "%", "$", "£", "€", "¢"]
CONTRACTED = (
    "won't can't let's ain't y'all wanna gotta gonna i'ma imma woulda coulda shoulda ma'am mr mrs st dr prof capt gov ald gen sen rep pres "
    "rev hon asst assoc lt col jr sr esq she'd been he's been they'd gone it's gone we'd done he's got don't they're it's I'd you'll 't I've I'm "
    "hmm mm mhm mmm uh um 's 're 'd isn't couldn't've Mr. Mrs. Dr. St. n't y'all'd rock'n'roll o'clock James' ’tis it’s don’t"
).split()
SPELLINGS = list(ENGLISH.standardize_spellings.mapping)
PUNCTUATION = list(".,;:!?-–—…\"'“”‘’()[]<>{}/\\&@#*+=_~^|`´«»¿¡、。，！？「」·•™©°§¶†‰′″") + ["...", "--", " '", "' ", "['", "(a)", "[b c]", "<d>", "()", "( )"]
SPACES = [" "] * 12 + ["  ", "\t", "\n", "\u00a0", "\u2003", "\u3000", "\u1680", "\x1c", "\x1f", "\x85", "\u200b", "\u2028"]
SCRIPTS = [
    (0x20, 0x7E), (0xA0, 0x24F), (0x250, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x530, 0x5FF), (0x600, 0x6FF), (0x700, 0x8FF), (0x900, 0xDFF),
    (0xE00, 0xEFF), (0xF00, 0x109F), (0x10A0, 0x13FF), (0x1780, 0x18AF), (0x1E00, 0x1FFF), (0x2000, 0x2BFF), (0x2C00, 0x2FDF), (0x3000, 0x31FF),
    (0x3200, 0x33FF), (0x4E00, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7A3), (0xF900, 0xFDFF), (0xFE00, 0xFFEF), (0x10000, 0x11FFF), (0x16A00, 0x16FFF),
    (0x1B000, 0x1BFFF), (0x1D000, 0x1E9FF), (0x1F000, 0x1FAFF), (0x20000, 0x2A6DF), (0xE0000, 0xE01EF),
]
DIGITS = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) in ("Nd", "No", "Nl")]


# Python 3.11 has Unicode 14. Of the characters of that version one has another category since (Unicode 16): a mark that spaces.
RECLASSIFIED = "\U0001171e"


def assigned(low, high):
    """Characters that this Python knows, and knows as later versions of Unicode do."""
    return [chr(c) for c in range(low, high + 1) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co") and chr(c) not in RECLASSIFIED]


SCRIPTS = [assigned(*script) for script in SCRIPTS]


def spoken(n, rng):
    """A whole number as it is said, with and without "and" and hyphens."""
    ones, tens = list(NUMBERS.ones), list(NUMBERS.tens)
    if n < 20:
        return ones[n - 1] if n else "zero"
    if n < 100:
        return tens[n // 10 - 2] + (rng.choice(" -") + ones[n % 10 - 1] if n % 10 else "")
    if n < 1000:
        rest = rng.choice([" and ", " "]) + spoken(n % 100, rng) if n % 100 else ""
        return ones[n // 100 - 1] + " hundred" + rest
    for name in reversed(MULTIPLIERS[1:]):
        size = NUMBERS.multipliers[name]
        if n >= size:
            rest = rng.choice([" ", ", ", " and "]) + spoken(n % size, rng) if n % size else ""
            return spoken(n // size, rng) + " " + name + rest
    raise ValueError(n)


def quantity(rng):
    kind = rng.randrange(14)
    n = int(10 ** rng.uniform(0, rng.choice([2, 3, 4, 7, 13, 36]))) - 1
    words = spoken(n, rng)
    if kind == 0:
        words += " point " + " ".join(rng.choice(SMALL) for _ in range(rng.randint(1, 4)))
    elif kind == 1:
        words += " " + rng.choice(list(NUMBERS.multipliers) + list(NUMBERS.multipliers_suffixed))
    elif kind == 2:
        last = words.replace("-", " ").rsplit(" ", 1)
        words = " ".join(last[:-1] + [rng.choice(list(NUMBERS.ones_suffixed) + list(NUMBERS.tens_suffixed))])
    elif kind == 3:
        words += " " + rng.choice(UNITS)
    elif kind == 4:
        words = f"{words} {rng.choice(['dollars', 'pounds', 'euros'])} {rng.choice(['and ', ''])}{spoken(rng.randrange(120), rng)} cents"
    elif kind == 5:
        words = " ".join(rng.choice(SMALL) for _ in range(rng.randint(2, 6)))
    elif kind == 6:
        words = f"{rng.choice(['double', 'triple'])} {rng.choice(NUMBER_WORDS)} {words}"
    elif kind == 7:
        words = rng.choice(["minus", "negative", "plus", "positive"]) + " " + words
    elif kind == 8:
        words += " and a half" + rng.choice(["", " million", " percent", "-hours", " and a half"])
    elif kind == 9:
        words = rng.choice(["", "$", "£", "€", "¢", "-", "+", "#"]) + rng.choice([f"{n:,}", str(n), f"{n / 100:.2f}", f"{n % 1000}.{n % 100}", f"0.{n % 100}"])
        words += rng.choice(["", "", "%", "th", "st", "nd", "s", " s", " rd", "k", " million", " hundredths", " point five", "-year-old", " cents", " per cent", "."])
    elif kind == 10:
        words = ".".join(str(rng.randrange(256)) for _ in range(rng.randint(2, 4)))
    elif kind == 11:
        words = " point ".join(rng.choice([spoken(rng.randrange(300), rng), str(rng.randrange(300))]) for _ in range(rng.randint(2, 4)))
    elif kind == 12:
        words = "".join(rng.choice(DIGITS) for _ in range(rng.randint(1, 4))) + rng.choice(["", ".", " million", ",5", "½", " thousands", " dollars"])
    return words


def word(rng):
    kind = rng.randrange(12)
    if kind < 3:
        text = rng.choice(rng.choice(SENTENCES).split())
    elif kind < 5:
        text = rng.choice(CONTRACTED)
    elif kind == 5:
        text = rng.choice(SPELLINGS)
    elif kind < 8:
        text = rng.choice(NUMBER_WORDS)
    elif kind == 8:
        text = quantity(rng)
    elif kind == 9:
        text = rng.choice(UNITS)
    elif kind == 10:
        text = letters(rng, rng.randint(1, 6))
    else:
        text = str(rng.randrange(10 ** rng.randint(1, 7)))
    case = rng.randrange(8)
    return text.upper() if case == 0 else text.title() if case == 1 else text


def letters(rng, count):
    script = rng.choice(SCRIPTS)
    return "".join(rng.choice(script) for _ in range(count))


def soup(rng, words):
    parts = []
    for _ in range(words):
        parts.append(word(rng))
        if rng.random() < 0.2:
            parts.append(rng.choice(PUNCTUATION))
        if rng.random() < 0.9:
            parts.append(rng.choice(SPACES))
    return "".join(parts)


def make(rng):
    kind = rng.randrange(10)
    if kind == 0:  # number words in any order
        return " ".join(rng.choice(NUMBER_WORDS) for _ in range(rng.randint(1, 8)))
    if kind == 1:
        return quantity(rng)
    if kind == 2:  # quantities in a sentence
        return f"{rng.choice(SENTENCES)[:40]} {quantity(rng)}{rng.choice(PUNCTUATION)} {quantity(rng)} {word(rng)}"
    if kind == 3:
        return " ".join(rng.choice(CONTRACTED + SPELLINGS[:40]) for _ in range(rng.randint(1, 8)))
    if kind == 4:  # a text in one script
        return "".join(" " if rng.random() < 0.15 else letters(rng, 1) for _ in range(rng.randint(1, 30)))
    if kind == 5:
        script = rng.choice(SCRIPTS)
        return "".join(rng.choice([" ", "", ""]) + rng.choice(script) for _ in range(rng.randint(1, 40)))
    if kind == 6:  # letters with marks
        base = letters(rng, rng.randint(1, 8))
        return "".join(c + rng.choice(["", "\u0301", "\u0327", "\u0308\u0301", "\u200d", "\ufe0f", "\u20dd"]) for c in base)
    if kind == 7:  # few characters that the patterns are about
        return "".join(rng.choice("aas1205.,$¢£€%'-()[]<> \u00a0n'tds_½²٣é\u0301\n") for _ in range(rng.randint(1, 24)))
    return soup(rng, rng.randint(1, 12))


def normalized(text):
    """The text with what each normaliser makes of it: English, then the basic one with its options off and on. None where
    openai/whisper fails, which it does on digits that `int` does not take."""
    try:
        english = ENGLISH(text)
    except Exception:
        english = None
    return [text, english, *(basic(text) for basic in BASIC)]


def every_character():
    """All assigned characters, once within words and once between them."""
    known = [c for c in assigned(0, 0x10FFFF) if not (0x3400 <= ord(c) <= 0x4DBF or 0x4F00 <= ord(c) <= 0x9FFF or 0xAD00 <= ord(c) <= 0xD7A3 or ord(c) >= 0x17000 and ord(c) < 0x1B000 or 0x20100 <= ord(c) < 0xE0000)]
    texts = []
    for start in range(0, len(known), 60):
        some = known[start : start + 60]
        texts.append("x" + "x".join(some) + " " + " ".join(some))
    return texts


def write(transcripts):
    rng = random.Random(20250625)
    texts = SENTENCES + transcripts + every_character()
    texts += [f"{left}{right}" for left in CONTRACTED for right in ["", " been", ".", "s", "'s", " got it"]]
    texts += [f"{first} {second}" for first in NUMBER_WORDS for second in rng.sample(NUMBER_WORDS, 6)]
    texts += [" ".join(SPELLINGS[start : start + 20]) for start in range(0, len(SPELLINGS), 20)]
    texts += [make(rng) for _ in range(COUNT)]
    rows = [normalized(text) for text in dict.fromkeys(texts)]
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(zlib.compress(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode(), 9))
    failed = sum(row[1] is None for row in rows)
    print(f"{len(rows)} texts, openai/whisper fails on {failed}, {OUT.stat().st_size} bytes", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["write", "random"])
    parser.add_argument("--transcripts", type=Path, help="write: a file with a text a line, to take with the others")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.what == "write":
        return write(args.transcripts.read_text().splitlines() if args.transcripts else [])
    rng = random.Random(args.seed)
    for _ in range(args.count):
        print(json.dumps(normalized(make(rng)), ensure_ascii=False))


if __name__ == "__main__":
    main()
