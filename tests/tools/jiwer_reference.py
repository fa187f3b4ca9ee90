"""Writes tests/data/compare/error_rates.json.zlib: pairs of texts, and jiwer's alignment of them.

    python tests/tools/jiwer_reference.py

Needs `pip install jiwer==4.0.0`. The pairs are drawn from a seeded generator: words of a few kinds and sentences, and what a
recogniser might make of them. A row is the reference, the hypothesis, and for words and for characters one letter an edit
(`=` hit, `s` substitution, `d` deletion, `i` insertion).
"""

import json
import random
import zlib
from pathlib import Path

import jiwer
from sentences import SENTENCES

OUT = Path(__file__).parent.parent / "data" / "compare" / "error_rates.json.zlib"
COUNT = 3000
LETTERS = {"equal": "=", "substitute": "s", "delete": "d", "insert": "i"}
SENTENCES = list(SENTENCES.values())


def edits(output):
    """One letter an edit; jiwer gives runs."""
    runs = output.alignments[0]
    return "".join(LETTERS[r.type] * max(r.ref_end_idx - r.ref_start_idx, r.hyp_end_idx - r.hyp_start_idx) for r in runs)


def misheard(rng, words):
    rate = rng.choice([0.02, 0.1, 0.3, 0.6])
    heard = []
    for word in words:
        kind = rng.random()
        if kind > rate:
            heard.append(word)
        elif kind < rate / 3:
            heard.append(rng.choice(words))
        elif kind < rate / 2:
            heard += [word, rng.choice(words)]
        elif kind < rate * 0.7:
            heard.append(word[: rng.randint(1, len(word))])
    return heard


def pair(rng):
    kind = rng.randrange(5)
    if kind == 0:  # a few words in any order: many alignments are equally good
        words = "a b c d e".split()[: rng.randint(1, 5)]
        return [[rng.choice(words) for _ in range(rng.randrange(20))] for _ in range(2)]
    if kind == 1:
        words = rng.choice(SENTENCES).split()
        return words, rng.sample(words, len(words))
    if kind == 2:  # as long as a paragraph
        words = [word for _ in range(rng.randint(2, 6)) for word in rng.choice(SENTENCES).split()]
        return words, misheard(rng, words)
    words = rng.choice(SENTENCES).split()
    return words, misheard(rng, words)


def main():
    rng = random.Random(4)
    rows = [["", "", "", ""], ["", "one two", "ii", "iiiiiii"], ["one two", "", "dd", "ddddddd"]]
    while len(rows) < COUNT:
        reference, hypothesis = (" ".join(words) for words in pair(rng))
        rows.append([reference, hypothesis, edits(jiwer.process_words(reference, hypothesis)), edits(jiwer.process_characters(reference, hypothesis))])
    for reference, hypothesis, words, characters in rows[:3]:
        assert edits(jiwer.process_words(reference, hypothesis)) == words
        assert edits(jiwer.process_characters(reference, hypothesis)) == characters
    references, hypotheses = [row[0] for row in rows], [row[1] for row in rows]
    words, characters = jiwer.process_words(references, hypotheses), jiwer.process_characters(references, hypotheses)
    data = {"wer": words.wer, "cer": characters.cer, "rows": rows}
    OUT.write_bytes(zlib.compress(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(), 9))
    print(f"{len(rows)} pairs, {OUT.stat().st_size} bytes, wer {words.wer}, cer {characters.cer}")


if __name__ == "__main__":
    main()
