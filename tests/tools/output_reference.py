"""Writes tests/data/output from openai-whisper: transcripts, and the files that its writers make of them.

    pip install openai-whisper==20250625
    python tests/tools/output_reference.py
"""

import io
import json
import random
import struct
import zlib
from pathlib import Path

from whisper.utils import WriteJSON, WriteSRT, WriteTSV, WriteTXT, WriteVTT, format_timestamp

from sentences import SENTENCES

OUT = Path(__file__).parent.parent / "data" / "output"
FLOATS = ["start", "end", "temperature", "avg_logprob", "compression_ratio", "no_speech_prob", "probability"]


def bits(x):
    """A float as the integer of its bits, so that no parser can change it."""
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def segment(i, text, start=None, end=None, **fields):
    start = i * 2.0 if start is None else start
    end = start + 2.0 if end is None else end
    made = {"id": i, "seek": i // 3 * 3000, "start": start, "end": end, "text": text, "tokens": [50364 + i, 291, 50464 + i],
            "temperature": 0.0, "avg_logprob": -0.25, "compression_ratio": 1.25, "no_speech_prob": 0.015625}
    made.update(fields)
    # As transcribe() clears a segment that is instantaneous or blank.
    if made["start"] == made["end"] or made["text"].strip() == "":
        made["text"], made["tokens"], made["words"] = "", [], []
    return made


def result(segments, language="en"):
    return {"text": "".join(s["text"] for s in segments), "segments": segments, "language": language}


# What max_line_width, max_line_count, max_words_per_line and highlight_words are set to.
LINES = [
    (None, None, None, False), (None, None, None, True), (20, None, None, False), (20, None, None, True), (1, None, None, False),
    (None, 2, None, False), (20, 1, None, False), (16, 2, None, False), (16, 2, None, True), (42, 2, 3, False), (42, 3, None, True),
    (None, None, 1, False), (None, None, 3, False), (None, None, 3, True), (12, None, 2, False), (0, 0, 0, False), (1, 1, 1, True),
]


def spoken(rng, n_segments, pieces):
    """Segments with words: pauses within and between them, some cleared, some with words that overlap."""
    segments, now = [], rng.random()
    for i in range(n_segments):
        words, start = [], now
        for _ in range(rng.randrange(1, 14)):
            now += rng.choice([0.0, 0.0, 0.0, 0.02, 0.3, 3.0, 3.02, 4.5])
            end = now + rng.choice([0.0, 0.02, 0.18, 0.5, 1.1])
            words.append({"word": rng.choice(pieces), "start": round(now, 2), "end": round(end, 2), "probability": rng.random()})
            now = end - rng.choice([0.0, 0.0, 0.0, 0.02])
        now = max(now, 0.0)
        text = "".join(word["word"] for word in words)
        if rng.random() < 0.15:
            text, words = "", []
        segments.append(segment(i, text, round(start, 2), round(now + 0.1, 2), words=words))
        now += rng.choice([0.0, 0.0, 0.5, 3.5])
    return result(segments)


def with_words():
    rng = random.Random(7)
    latin = [" And", " so", ",", " my", " fellow", " Americans", " ask", " not", " what", "-ever", " Käsebrötchen", " a-very-long-word-that-no-line-of-sixteen-holds", " –", " -->", " 3.50"]
    chinese = list("今天天气很好我们去公园散步吧。") + ["「", "三点"]
    odd = [" ", "", "\n", " a\nb", " end\n", "\u3000wide", "\u00a0", " <b>", " 🙂", " \x1c", "\ttab", " {k}"]
    for pieces in [latin, chinese, latin + odd]:
        for n_segments in [1, 4, 12]:
            yield spoken(rng, n_segments, pieces)
    yield result([segment(0, "", 1.0, 1.0), segment(1, "  ", 2.0, 3.0)])


def random_float(rng):
    return rng.choice([
        lambda: rng.random(),
        lambda: round(rng.random() * 100, 2),
        lambda: rng.randrange(1500) * 0.02,
        lambda: -rng.random() * 10.0 ** rng.randrange(-20, 20),
        lambda: struct.unpack("<f", struct.pack("<f", rng.random()))[0],
        lambda: 10.0 ** rng.randrange(-8, 18),
        lambda: float(rng.randrange(-5, 6)),
    ])()


def results():
    yield result([])
    yield result([segment(0, " And so, my fellow Americans, ask not", 0.0, 4.0), segment(1, " what your country can do for you.", 4.0, 7.58)])
    yield result([segment(i, " " + text) for i, text in enumerate(SENTENCES.values())], "ja")
    tricky = ['"quoted" \\ back/slash', "tab\tnew\nline\r\x0b\x0c\x08", "\x00\x01\x1f\x7f\x80\x9f\xa0", "a --> b", "\u2028\u2029\ufeff\ufffd", "🙂👩‍👩‍👧", "\U0010ffff\uffff", "\x1c strip \x1f", "\u3000wide\u3000", "</script>&amp;'"]
    yield result([segment(i, text) for i, text in enumerate(tricky)])
    # Blank and instantaneous segments are cleared but stay.
    yield result([segment(0, " one"), segment(1, "   "), segment(2, " gone", 5.0, 5.0), segment(3, " two")])
    # With words, as word_timestamps gives them: in every segment, none where it was cleared.
    sentence = "And so, my “fellow” Americans –".split(" ")
    spoken = [{"word": " " + word, "start": round(0.3 * i, 2), "end": round(0.3 * i + 0.28, 2), "probability": 0.9 / (i + 1)} for i, word in enumerate(sentence)]
    yield result([segment(0, " " + " ".join(sentence), 0.0, 1.48, words=spoken), segment(1, "  ", words=[]), segment(2, " -", words=[])])
    rng = random.Random(11)
    yield result([segment(i, f" {i}", **{name: random_float(rng) for name in FLOATS if name != "probability"}) for i in range(300)])


def plain_fields(fields):
    """A segment or a word with its floats as bits."""
    plain = {k: bits(v) if k in FLOATS else v for k, v in fields.items()}
    if "words" in plain:
        plain["words"] = [plain_fields(word) for word in plain["words"]]
    return plain


def written(writer, value, **options):
    file = io.StringIO()
    writer(".").write_result(value, file, **options)
    return file.getvalue()


def subtitles(value):
    """The subtitle files of a transcript by each of LINES."""
    cases = []
    for width, count, words, highlight in LINES:
        options = {"max_line_width": width, "max_line_count": count, "max_words_per_line": words, "highlight_words": highlight}
        cases.append({**options, "srt": written(WriteSRT, value, **options), "vtt": written(WriteVTT, value, **options)})
    return cases


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    cases = []
    for value in results():
        plain = {**value, "segments": [plain_fields(s) for s in value["segments"]]}
        # Times beyond a billion seconds are there to test numbers, not to be shown.
        lines = [f"[{format_timestamp(max(s['start'], 0))} --> {format_timestamp(max(s['end'], 0))}] {s['text']}" for s in value["segments"] if max(s["start"], s["end"]) < 1e9]
        case = {"transcript": plain, "json": written(WriteJSON, value), "txt": written(WriteTXT, value), "lines": lines}
        # Nor are negative times, which its writers refuse.
        if all(0 <= s["start"] < 1e9 and 0 <= s["end"] < 1e9 for s in value["segments"]):
            case.update(tsv=written(WriteTSV, value), srt=written(WriteSRT, value), vtt=written(WriteVTT, value))
        cases.append(case)
    spoken_cases = []
    for value in with_words():
        plain = {**value, "segments": [plain_fields(s) for s in value["segments"]]}
        spoken_cases.append({"transcript": plain, "tsv": written(WriteTSV, value), "subtitles": subtitles(value)})
    rng = random.Random(3)
    times = [0.0, 0.0005, 0.0015, 0.9995, 59.9995, 60.0, 3599.9995, 3600.0, 86399.9999, 360000.0] + [rng.random() * 10 ** rng.randrange(6) for _ in range(400)]
    timestamps = [[bits(t), hours, marker, format_timestamp(t, hours, marker)] for t in times for hours, marker in [(False, "."), (True, ",")]]
    data = json.dumps({"cases": cases, "words": spoken_cases, "timestamps": timestamps}).encode()
    (OUT / "written.json.zlib").write_bytes(zlib.compress(data, 9))
    print(len(cases), "transcripts", len(zlib.compress(data, 9)), "bytes")


if __name__ == "__main__":
    main()
