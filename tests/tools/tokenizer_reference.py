"""Writes tests/data/tokenizer from openai-whisper: vocabularies, and what its tokenizer makes of many texts.

    pip install openai-whisper==20250625
    python tests/tools/tokenizer_reference.py

The same input gives the same files on every run.
"""

import json
import random
import struct
import zlib
from pathlib import Path

from whisper.tokenizer import get_tokenizer

from sentences import SENTENCES

OUT = Path(__file__).parent.parent / "data" / "tokenizer"
VOCABULARIES = Path(__file__).parents[2] / "weights/data"
TEXTS = 2000
TOKEN_RUNS = 600
WORD_RUNS = 160


def tokenizers():
    """The three vocabularies of the released models, by size."""
    return {
        51864: get_tokenizer(False, num_languages=99),
        51865: get_tokenizer(True, num_languages=99),
        51866: get_tokenizer(True, num_languages=100),
    }


def merges(encoding):
    """The pair of token ids that each merged token is made of, in order of rank.

    tiktoken stores tokens alone; the pair follows by running BPE on each token with the merges of lower rank.
    """
    ranks = encoding._mergeable_ranks
    single_bytes = [token for token, rank in sorted(ranks.items(), key=lambda item: item[1]) if rank < 256]
    assert all(len(token) == 1 for token in single_bytes)
    pairs = []
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if rank < 256 or not token:
            continue
        parts = [bytes([byte]) for byte in token]
        while len(parts) > 2:
            found = [(ranks.get(a + b, rank), i) for i, (a, b) in enumerate(zip(parts, parts[1:]))]
            best, i = min(found)
            assert best < rank, token
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        assert rank == 256 + len(pairs)
        pairs.append((ranks[parts[0]], ranks[parts[1]]))
    return pairs


def random_text(random, alphabet, length):
    return "".join(random.choice(alphabet) for _ in range(length))


def character(random):
    """Any character of any plane."""
    while True:
        code = random.choice([random.randrange(0x80), random.randrange(0x3000), random.randrange(0x10000), random.randrange(0x110000)])
        if not 0xD800 <= code < 0xE000:
            return chr(code)


def texts():
    rng = random.Random(20250625)
    sentences = list(SENTENCES.values())
    fixed = [
        "", " ", "  ", "\n", "\r\n", "\t \t", " \n ", "a  b", "a   b", "a \n b", " a", "a ", "\u00a0", "\u3000\u3000a", "\u200b", "\ufeffa",
        "<|endoftext|>", " <|startoftranscript|><|en|><|transcribe|><|0.00|> hi<|2.00|>", "<|nospeech|>", "<|", "|>",
        "'s", "'S", "it's", "IT'S", "we'll've", "I’d", "'tis 'twas", "d'accord", "''", "'", "'ll'",
        "0", "00", "007", "1234567890", "3.14159", "1,000,000.00", "२०२५", "١٢٣", "Ⅷ", "½", "x²",
        "\0", "\x01\x02\x7f", "a\0b", "\x85", "\x1c\x1d", "e\u0301", "é", "\ufffd", "\ufffd\ufffd a", "🙂", "👩‍👩‍👧‍👦", "🇺🇸🇯🇵", "👍🏽👍🏿", "♪", " ♪♪", "♪♪♪", "♩♭♮♯",
        "---", "--", "-", " - ", "...", "…", "!!!???", "(((", "[[]]", "{{}}", "\"\"\"", "\\\\", "<<>>", "~~~~",
        "a" * 1000, " " * 300, "\n" * 100, "=" * 200, "ha" * 200, "ł" * 50, "你" * 100, "🙂" * 40,
    ]
    yield from fixed
    yield from sentences
    spaces = [" ", "  ", "\n", "\t", "\r\n", "\u00a0", "\u3000", "   ", "\u2028"]
    for n in range(TEXTS - len(fixed) - len(sentences)):
        kind = n % 8
        sentence = rng.choice(sentences)
        if kind == 0:  # a stretch of a sentence, cut anywhere
            start = rng.randrange(len(sentence))
            yield sentence[start : start + rng.randrange(1, 60)]
        elif kind == 1:  # words of several languages with odd spaces between
            words = [rng.choice(rng.choice(sentences).split() or ["x"]) for _ in range(rng.randrange(1, 8))]
            yield "".join(word + rng.choice(spaces) for word in words)
        elif kind == 2:  # any characters at all
            yield "".join(character(rng) for _ in range(rng.randrange(1, 16)))
        elif kind == 3:  # digits and signs
            yield random_text(rng, "0123456789.,:-/ %€$+()", rng.randrange(1, 40))
        elif kind == 4:  # upper and lower case, contractions
            words = rng.sample(SENTENCES["en"].split() + ["O'Neil's", "y'all'd've", "can't", "WON'T", "rock'n'roll"], 6)
            yield " ".join(rng.choice([str.upper, str.lower, str.title, str])(word) for word in words)
        elif kind == 5:  # letters of one script, no language
            low, high = rng.choice([(0x61, 0x7A), (0xC0, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x6FF), (0x900, 0xDFF), (0xE00, 0xEFF), (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x1F300, 0x1FAFF)])
            yield "".join(rng.choice(" ") if rng.random() < 0.1 else chr(rng.randint(low, high)) for _ in range(rng.randrange(1, 20)))
        elif kind == 6:  # control characters and white space
            yield random_text(rng, "ab \t\n\r\x0b\x0c\x00\x1c\x1f\x7f\x85\u00a0\u2003\u200b\u3000", rng.randrange(1, 25))
        else:  # a repeated phrase, as a looping decoder writes it
            yield (sentence[: rng.randrange(1, 25)] + rng.choice(["", " ", ", "])) * rng.randrange(2, 8)


def token_runs(tokenizer):
    """Runs of random tokens, which are seldom valid UTF-8; some with special tokens and timestamps."""
    rng = random.Random(99)
    partial = [i for i in range(tokenizer.eot) if "\ufffd" in tokenizer.decode([i])]
    n_vocab = tokenizer.encoding.n_vocab
    for n in range(TOKEN_RUNS):
        pool = [partial, range(tokenizer.eot), range(256)][n % 3]
        run = [rng.choice(pool) for _ in range(rng.randrange(1, 12))]
        if n % 4 == 0:
            run.insert(rng.randrange(len(run) + 1), rng.randrange(tokenizer.eot, n_vocab))
        yield run


def words(n_vocab, multilingual, num_languages):
    """Splits into words, of sentences with timestamps in them and of random tokens."""
    rng = random.Random(7)
    cases = []
    languages = [code for code in SENTENCES if len(code) <= 3 and (num_languages == 100 or code != "yue")] if multilingual else ["en"]
    for n in range(WORD_RUNS):
        language = languages[n % len(languages)]
        tokenizer = get_tokenizer(multilingual, num_languages=num_languages, language=language)
        if n < len(languages):
            text = SENTENCES[language]
        else:
            text = " ".join(rng.sample([SENTENCES[language], SENTENCES["mixed"], SENTENCES["code"], rng.choice(list(SENTENCES.values()))], 2))
            start = rng.randrange(len(text))
            text = text[start : start + rng.randrange(5, 60)]
        tokens = tokenizer.encoding.encode_ordinary(rng.choice(["", " "]) + text)
        if n % 5 == 4:
            tokens = [rng.choice(tokens + list(range(256))) for _ in range(12)]
        if n % 3 == 0:
            tokens.insert(rng.randrange(len(tokens) + 1), tokenizer.timestamp_begin + rng.randrange(1501))
        tokens.append(tokenizer.eot)
        try:
            split, split_tokens = tokenizer.split_to_word_tokens(tokens)
        except IndexError:  # openai fails on some invalid UTF-8
            continue
        cases.append({"language": language, "tokens": tokens, "words": split, "word_tokens": split_tokens})
    return {"n_vocab": n_vocab, "cases": cases}


def write_compressed(name, value):
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    (OUT / name).write_bytes(zlib.compress(data, 9))


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    by_size = tokenizers()
    for name, n_vocab in [("gpt2", 51864), ("multilingual", 51865)]:
        encoding = by_size[n_vocab].encoding
        pairs = merges(encoding)
        singles = [token[0] for token, rank in sorted(encoding._mergeable_ranks.items(), key=lambda item: item[1]) if rank < 256]
        left = struct.pack(f"<{len(pairs)}H", *(a for a, _ in pairs))
        right = struct.pack(f"<{len(pairs)}H", *(b for _, b in pairs))
        (VOCABULARIES / f"{name}.merges.zlib").write_bytes(zlib.compress(bytes(singles) + left + right, 9))

    facts = {}
    for n_vocab, t in by_size.items():
        facts[n_vocab] = {
            "eot": t.eot, "sot": t.sot, "translate": t.translate, "transcribe": t.transcribe, "sot_lm": t.sot_lm,
            "sot_prev": t.sot_prev, "no_speech": t.no_speech, "no_timestamps": t.no_timestamps,
            "timestamp_begin": t.timestamp_begin, "n_vocab": t.encoding.n_vocab,
            # openai keeps these in the order of a set, which changes from run to run.
            "language_tokens": sorted(t.all_language_tokens),
            "language_codes": [t.decode([token]).strip("<|>") for token in sorted(t.all_language_tokens)],
            "blank": t.encoding.encode(" "), "non_speech": list(t.non_speech_tokens),
            "sot_sequence": list(t.sot_sequence),
            "special_texts": t.decode_with_timestamps(list(range(t.eot, t.encoding.n_vocab))),
        }
    (OUT / "facts.json").write_text("{\n" + ",\n".join(f'"{n}": {json.dumps(f)}' for n, f in facts.items()) + "\n}\n")

    unique = list(dict.fromkeys(texts()))
    write_compressed("encode.json.zlib", {
        "texts": unique,
        **{str(n): [by_size[n].encoding.encode_ordinary(text) for text in unique] for n in (51864, 51865)},
    })
    write_compressed("decode.json.zlib", {
        str(n): [[run, t.decode(run), t.decode_with_timestamps(run)] for run in token_runs(t)] for n, t in by_size.items()
    })
    write_compressed("words.json.zlib", [words(51864, False, 99), words(51865, True, 99), words(51866, True, 100)])
    print(len(unique), "texts")
    for path in sorted(OUT.iterdir()):
        print(path.stat().st_size, path.name)


if __name__ == "__main__":
    main()
