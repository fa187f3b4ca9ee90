"""Writes tests/data/words from openai-whisper: what its functions for word timestamps make of small inputs.

    pip install openai-whisper==20250625
    python tests/tools/words_reference.py

The functions run as they are; what stands around them (model, tokenizer, decoder) is put in its place by objects that give back
what a case says.
"""

import json
import math
import random
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import whisper.timing as timing
import whisper.transcribe  # noqa: F401  (the package's attribute of this name is the function)
from whisper.decoding import DecodingResult
from whisper.timing import WordTiming
from whisper.tokenizer import get_tokenizer

transcribe_module = sys.modules["whisper.transcribe"]
OUT = Path(__file__).parent.parent / "data" / "words"
PREPENDED = "\"'“¿([{-"
BEGIN = get_tokenizer(True, num_languages=99, language="en", task="transcribe").timestamp_begin
APPENDED = "\"'.。,，!！?？:：”)]}、"


def numbers(values):
    """f32 as JSON: null is NaN, and infinities are words."""
    flat = np.asarray(values, dtype=np.float32).flatten().tolist()
    return [None if math.isnan(x) else ("inf" if x > 0 else "-inf") if math.isinf(x) else float(f"{x:.9g}") for x in flat]


# Dynamic time warping


def dtw_cases():
    rng = np.random.default_rng(1)

    def case(name, costs):
        costs = np.asarray(costs, dtype=np.float32)
        text, time = timing.dtw(torch.from_numpy(costs))
        path = [[int(a), int(b)] for a, b in zip(text, time)]
        return dict(name=name, rows=costs.shape[0], columns=costs.shape[1], costs=numbers(costs), path=path)

    for shape in [(1, 1), (1, 6), (6, 1), (3, 3), (4, 7), (7, 4)]:
        yield case(f"all equal {shape}", np.zeros(shape))
        yield case(f"all negative and equal {shape}", -np.ones(shape))
    for shape in [(1, 0), (5, 0)]:
        yield case(f"no columns {shape}", np.zeros(shape))
    for i in range(16):
        shape = rng.integers(2, 9, 2)
        yield case(f"small integers {i}", rng.integers(-1, 2, shape))
    for i in range(8):
        yield case(f"real numbers {i}", rng.normal(size=rng.integers(3, 14, 2)))
    # Sums that f32 cannot hold, so that ties would come about in it.
    for i in range(6):
        yield case(f"large and small {i}", rng.choice([16777216.0, 1.0, -1.0, 0.5], (6, 8)))
    yield case("diagonal", -np.eye(5, 9))
    for i in range(8):
        costs = rng.normal(size=(5, 6))
        costs[rng.random((5, 6)) < 0.15] = np.nan
        yield case(f"NaN {i}", costs)
    yield case("a column of NaN", np.where(np.arange(6) == 2, np.nan, rng.normal(size=(4, 6))))
    yield case("all NaN", np.full((3, 4), np.nan))
    yield case("infinite", rng.choice([np.inf, -np.inf, 0.0], (4, 5)))


# Median filter


def median_filter_cases():
    rng = np.random.default_rng(2)

    def case(name, row):
        row = torch.tensor(np.asarray(row, dtype=np.float32))
        return dict(name=name, row=numbers(row), filtered=numbers(timing.median_filter(row[None, None, :], 7)[0, 0]))

    for n in range(16):
        yield case(f"{n} values", rng.normal(size=n))
    for n in range(1, 16):
        yield case(f"{n} small integers", rng.integers(0, 3, n))
    for i in range(12):
        row = rng.normal(size=rng.integers(4, 24))
        row[rng.random(len(row)) < 0.3] = np.nan
        yield case(f"NaN {i}", row)
    yield case("only NaN", np.full(9, np.nan))
    for i in range(4):
        yield case(f"infinities {i}", rng.choice([np.inf, -np.inf, 1.0, 2.0, np.nan], 15))
    yield case("long", rng.normal(size=150))


# Alignment


class FakeModel:
    """Gives the logits and the cross-attention scores of a case, and offers the layers for hooks."""

    class CrossAttention(torch.nn.Module):
        def __init__(self, scores):
            super().__init__()
            self.scores = scores

        def forward(self):
            return None, self.scores[None]

    def __init__(self, scores, heads, logits):
        layers = [torch.zeros(max(head for _, head in heads) + 1, *scores.shape[1:]) for _ in range(max(layer for layer, _ in heads) + 1)]
        for (layer, head), value in zip(heads, scores):
            layers[layer][head] = value
        blocks = [SimpleNamespace(cross_attn=self.CrossAttention(layer)) for layer in layers]
        self.decoder = SimpleNamespace(blocks=blocks)
        self.dims = SimpleNamespace(n_text_layer=len(blocks))
        self.device = "cpu"
        self.alignment_heads = SimpleNamespace(indices=lambda: torch.tensor(heads).T)
        self.logits = logits

    def __call__(self, _mel, _tokens):
        for block in self.decoder.blocks:
            block.cross_attn()
        return self.logits[None]


def alignment_cases():
    torch.manual_seed(3)
    rng = random.Random(3)
    eot, vocabulary = 40, 50

    def case(name, word_lengths, n_heads, positions, start=3, scores=None, cut=None):
        n = sum(word_lengths)
        total = start + n + 2
        if scores is None:
            # Heads that follow the diagonal, with noise.
            peak = torch.linspace(0, positions, total)[:, None]
            scores = 4.0 * torch.exp(-(((torch.arange(positions) - peak) / 3.0) ** 2)) + torch.randn(n_heads, total, positions)
        scores = scores.float()
        logits = 2.0 * torch.randn(total, vocabulary)
        text = [rng.randrange(eot) for _ in range(n)]
        words, at = [], 0
        for length in word_lengths:
            words.append((f" w{at}", text[at : at + length]))
            at += length
        tokenizer = SimpleNamespace(
            sot_sequence=list(range(41, 41 + start)), no_timestamps=45, eot=eot,
            split_to_word_tokens=lambda _tokens: ([w for w, _ in words] + ["<|endoftext|>"], [t for _, t in words] + [[eot]]),
        )
        heads = [(i // 2, i % 2) for i in range(n_heads)]
        num_frames = cut if cut is not None else 2 * positions + 1
        mel = torch.zeros(80, 3000)
        aligned = timing.find_alignment(FakeModel(scores, heads, logits), tokenizer, text, mel, num_frames)
        probabilities = logits[start:, :eot].softmax(dim=-1)[torch.arange(n), text]
        kept = scores[:, :, : num_frames // 2]
        return dict(
            name=name, start=start, heads=n_heads, tokens=total, positions=kept.shape[-1], scores=numbers(kept),
            words=[dict(word=word, tokens=tokens) for word, tokens in words], probabilities=numbers(probabilities),
            aligned=[dict(word=t.word, tokens=t.tokens, start=exact(t.start), end=exact(t.end), probability=exact(t.probability)) for t in aligned],
        )

    yield case("one word of one token", [1], 1, 12)
    yield case("several words", [1, 2, 1, 3], 3, 40)
    yield case("an English-only start sequence", [2, 1, 1], 2, 30, start=1)
    yield case("six heads", [1, 1, 4, 1, 2], 6, 50)
    yield case("cut to the frames of the recording", [1, 1, 2], 2, 40, cut=33)
    yield case("too short for the filter", [2, 1], 2, 3)
    yield case("one position more", [2, 1], 2, 4)
    yield case("fewer positions than tokens", [3, 4, 2], 2, 6)
    yield case("no position", [1, 2], 2, 5, cut=1)
    # Equal weights in a column have no deviation: the column is NaN, and with it what the filter reaches.
    equal = torch.zeros(1, 3 + 3 + 2, 12)
    yield case("all scores equal", [1, 2], 1, 12, scores=equal)
    far = torch.randn(2, 3 + 3 + 2, 30)
    far[:, :, 25:] = -200.0
    yield case("weights that vanish", [1, 2], 2, 30, scores=far)
    tiny = torch.randn(2, 3 + 3 + 2, 30)
    tiny[:, :, 10:20] -= 60.0
    yield case("weights whose squares vanish", [1, 2], 2, 30, scores=tiny)


# Punctuation


def punctuation_cases():
    rng = random.Random(4)

    def case(words, prepended=PREPENDED, appended=APPENDED):
        alignment = [WordTiming(word, [i], 0.0, 0.0, 0.5) for i, word in enumerate(words)]
        timing.merge_punctuations(alignment, prepended, appended)
        return dict(words=words, prepended=prepended, appended=appended, merged=[[t.word, t.tokens] for t in alignment])

    yield case([" Hello", ",", " world", "."])
    for words in [
        [], [" a"], ["."], [" \""], [" \"", "a"], [" \"", " a", "\"", ".", " b"], [" (", " [", " a", "]", ")"], [" a", "...", " b"],
        [" a", ".", ".", ".", " b"], [" -", " -", " a"], [" --", " a"], [" ([", " a"], [" [(", " a"], [" a", "\"'", " b"], [" a", ".,", " b"],
        [" a", "".join("\"'.。,，!"), " b"], [" ", " a"], [" ", "a", " "], ["", " a", ""], [" a", "", " b", ""], ["a ", ".", "b"], [" a ", ",", " b"],
        [" ", ".", "!"], [" “", "你", "好", "”", "。"], ["¿", " a", "?"], [" ¿", "a", "?"], [" a", " .", " b"], [" \u3000(", " a"], [" (\x1c", " a"],
        [" (", ")", " a"], [" \"", "\"", " a"], [" a", "-", "b"], [" a", " -", "b"], [" '", "tis"], [" rock", " 'n", "'", " roll"], [" '", "'", "'"],
    ]:
        yield case(words)
    yield case([" a", "-", "b", " -", " c", "!"], "-!", "-!")
    yield case([" a", "ab", " ab", " b"], "ab", "abc")
    yield case([" a", ".", " (", " b"], "", "")
    yield case(["", " ", " a", "", "b"], "", "")
    pieces = [" ", "", " a", "b", " (", " -", "-", ".", ",", " \"", "\"", "()", " ()", " “", "”", " '", "'", "。", " . ", "a "]
    for _ in range(60):
        yield case([rng.choice(pieces) for _ in range(rng.randrange(1, 9))])


# Durations


def random_alignment(rng, longest):
    """Words with times on the grid of 0.02 s, never going back; gaps and long words are common."""
    at, words = rng.choice([0, 0, rng.randrange(0, 400)]), []
    marks = [".", ",", "?", "。", "!?", "", " (", "\"", "-"]
    for i in range(rng.randrange(1, longest)):
        word = rng.choice(marks) if rng.random() < 0.25 else rng.choice([" ", ""]) + f"w{i}"
        length = rng.choice([0, 1, 5, 10, 12, 15, 20, 20, 25, 40, 80, 150, 400])
        words.append([word, rng.randrange(1, 4), at, min(at + length, 1500), round(rng.random(), 3)])
        at = min(at + length, 1500)
    return words


def exact(x):
    """A float as text, because not every JSON parser reads numbers to the last bit."""
    return repr(float(x))


def plain_segments(segments):
    return [dict(start=exact(s["start"]), end=exact(s["end"]),
                 **(dict(words=[[w["word"], exact(w["start"]), exact(w["end"]), exact(w["probability"])] for w in s["words"]]) if "words" in s else {}))
            for s in segments]


def word_timing_cases():
    rng = random.Random(5)
    tokenizer = SimpleNamespace(eot=100)
    find_alignment = timing.find_alignment
    for i in range(220):
        words = random_alignment(rng, 3 if i % 4 == 0 else 14)
        if i % 20 == 19:
            words = []
        if i % 20 == 18:
            words = [[w, n, s, s, p] for w, n, s, _, p in words]
        n_tokens = sum(n for _, n, _, _, _ in words)
        seek = rng.choice([0, 0, rng.randrange(0, 9000)])
        offset = seek * 160 / 16000
        # Segments are dealt whole numbers of tokens, not always whole words, and times near those of their words.
        cuts = sorted(rng.randrange(0, n_tokens + 1) for _ in range(rng.randrange(0, 4)))
        bounds = list(zip([0] + cuts, cuts + [n_tokens]))
        segments, n_text_tokens, times = [], [], [w[2] for w in words] + [w[3] for w in words] or [0]
        for low, high in bounds:
            start = max(0, rng.choice(times) + rng.randrange(-60, 60))
            end = start + rng.randrange(0, 300)
            tokens = [7] * (high - low)
            segments.append(dict(seek=seek, start=offset + start * 0.02, end=offset + end * 0.02, tokens=[101, *tokens, 102]))
            n_text_tokens.append(high - low)
        alignment = [WordTiming(w, [7] * n, np.int64(s) / 50, np.int64(e) / 50, p) for w, n, s, e, p in words]
        given = [[t.word, len(t.tokens), exact(t.start), exact(t.end), exact(t.probability)] for t in alignment]
        before = plain_segments(segments)
        last_speech = rng.choice([0.0, 0.0, offset, round(max(0.0, offset - rng.random() * 5), 2), round(offset + rng.random() * 5, 2)])
        marks = rng.choice([(PREPENDED, APPENDED), (PREPENDED, APPENDED), ("", ""), ("(", ".")])
        timing.find_alignment = lambda *_args, **_options: alignment
        timing.add_word_timestamps(
            segments=segments, model=None, tokenizer=tokenizer, mel=None, num_frames=3000, prepend_punctuations=marks[0],
            append_punctuations=marks[1], last_speech_timestamp=last_speech,
        )
        yield dict(segments=before, n_text_tokens=n_text_tokens, alignment=given, time_offset=exact(offset), last_speech_timestamp=exact(last_speech),
                   prepend_punctuations=marks[0], append_punctuations=marks[1], with_words=plain_segments(segments))
    timing.find_alignment = find_alignment


# Where the next window begins


class WindowEnds(Exception):
    """Thrown to leave `transcribe` once the window of a case is done."""


def run_window(case_segments, tokens, seek, content_frames, last_speech, threshold):
    """Runs `transcribe` on one window, whose segments get the times and words of a case, and returns what became of it.

    For speech before the window there is a clip of one frame before it, with one plausible word that ends there.
    """
    first = dict(start=last_speech - 0.3, end=last_speech, words=[dict(word=" a", start=last_speech - 0.3, end=last_speech, probability=0.9)])
    # (segments, tokens) of each window; a single timestamp at the end of the first one closes its clip.
    windows = [([first], [BEGIN, 11, BEGIN + 50])] if last_speech else []
    windows.append((case_segments, tokens))
    last, at, seen = len(windows) - 1, -1, {}

    class Progress:
        def __init__(self, **_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def update(self, _):
            if at < last:
                return
            local = sys._getframe(1).f_locals
            seen.update(dropped=False, seek=local["seek"], last_speech=local["last_speech_timestamp"],
                        segments=[dict(s) for s in local["current_segments"]])
            raise WindowEnds

    class Model:
        dims = SimpleNamespace(n_mels=80, n_audio_ctx=1500, n_text_ctx=448)
        device = torch.device("cpu")
        is_multilingual, num_languages = True, 99

        def decode(self, _segment, _options):
            nonlocal at
            at += 1
            if at > last:
                seen.update(dropped=True, seek=sys._getframe(2).f_locals["seek"])
                raise WindowEnds
            return DecodingResult(audio_features=None, language="en", tokens=windows[at][1], text="a", avg_logprob=-0.1, no_speech_prob=0.0,
                                  temperature=0.0, compression_ratio=1.0)

    def add_words(*, segments, last_speech_timestamp, **_):
        local = sys._getframe(1).f_locals
        seen.update(advance=local["seek"] - local["previous_seek"], single=local["single_timestamp_ending"], size=local["segment_size"],
                    last_speech_before=last_speech_timestamp)
        for segment, given in zip(segments, windows[at][0], strict=True):
            segment.update(start=given["start"], end=given["end"], words=[dict(w) for w in given["words"]])

    kept = {name: getattr(transcribe_module, name) for name in ("add_word_timestamps", "log_mel_spectrogram", "tqdm")}
    transcribe_module.add_word_timestamps = add_words
    transcribe_module.log_mel_spectrogram = lambda *_, **__: torch.zeros(80, content_frames + 3000)
    transcribe_module.tqdm = SimpleNamespace(tqdm=Progress)
    try:
        transcribe_module.transcribe(
            Model(), np.zeros(1, dtype=np.float32), language="en", word_timestamps=True, hallucination_silence_threshold=threshold,
            clip_timestamps=[*([0, 0.01] if last_speech else []), seek / 100], temperature=0.0,
        )
        raise AssertionError("the recording ended before the window's end was seen")
    except WindowEnds:
        pass
    finally:
        for name, value in kept.items():
            setattr(transcribe_module, name, value)
    assert seen["last_speech_before"] == last_speech
    return seen


def random_words(rng, at, end, plausible):
    words = []
    while at < end and len(words) < 12:
        length = rng.choice([0.2, 0.3, 0.4]) if plausible else rng.choice([0.0, 0.02, 0.06, 0.1, 2.5, 4.0])
        word = rng.choice([".", ",", "\"", "()", "-"]) if rng.random() < 0.1 else f" w{len(words)}"
        probability = rng.uniform(0.3, 1.0) if plausible else rng.uniform(0.0, 0.3)
        words.append(dict(word=word, start=round(at, 2), end=round(at + length, 2), probability=round(probability, 3)))
        at += length + rng.choice([0.0, 0.0, 0.1, 1.0])
    return words


def seek_cases():
    rng = random.Random(6)
    for _ in range(300):
        content_frames = rng.choice([rng.randrange(300, 3200), 9000, 12000])
        seek = rng.choice([0, 0, rng.randrange(0, content_frames)])
        size = min(3000, content_frames - seek)
        n = rng.randrange(1, 5)
        # Times of the segments; the tokens only have to give as many segments, with some advance.
        offset, at, segments = seek / 100, rng.choice([0.0, 0.5, 1.5, 4.0, 10.0]), []
        for _ in range(n):
            words = [] if rng.random() < 0.15 else random_words(rng, offset + at, offset + at + rng.choice([0.3, 1.0, 3.0, 6.0]), rng.random() < 0.5)
            start = words[0]["start"] if words else round(offset + at, 2)
            end = words[-1]["end"] if words else round(offset + at + 1.0, 2)
            segments.append(dict(start=start, end=end, words=words))
            at = end - offset + rng.choice([0.0, 0.0, 0.5, 2.5, 8.0])
        pair = [BEGIN + 5, 11, BEGIN + 50]
        tokens = [t for _ in range(n) for t in pair]
        ending = rng.choice(["pair", "single", "none"])
        if ending == "pair":
            tokens += [BEGIN + 60]
        elif ending == "none" and n == 1:
            tokens = rng.choice([[BEGIN, 11, 12], [11]])
        # Words lie in their window, and not in the padding behind it.
        segments = [s for s in segments if all(w["end"] <= offset + size / 100 for w in s["words"])]
        if len(segments) < n:
            continue
        threshold = rng.choice([None, 0.0, 0.5, 1.0, 2.0, 5.0])
        last_speech = rng.choice([0.0, round(offset, 2), round(offset * rng.random(), 2)]) if seek else 0.0
        seen = run_window(segments, tokens, seek, content_frames, last_speech, threshold)
        if not seen["dropped"] and seen["seek"] <= seek:
            # openai would decode the window again.
            continue
        case = dict(seek=seek, segment_size=seen["size"], content_frames=content_frames, advance=seen["advance"],
                    single_timestamp_ending=seen["single"], last_speech_timestamp=exact(last_speech), threshold=threshold,
                    segments=plain_segments(segments), dropped=seen["dropped"], next_seek=seen["seek"])
        assert seen["size"] == size
        if not seen["dropped"]:
            case.update(kept=plain_segments(seen["segments"]), next_last_speech=exact(seen["last_speech"]))
        yield case


def anomaly_cases():
    """Whether a segment is a hallucination, told by what a window that holds it alone comes to: it is dropped, or it stays."""
    rng = random.Random(7)
    tokens = [BEGIN + 5, 11, BEGIN + 50]
    for _ in range(160):
        at, words = 5.0, []
        for i in range(rng.randrange(0, 14)):
            length = rng.choice([0.0, 0.05, 0.1, 0.12, 0.14, 0.3, 0.3, 0.5, 1.9, 2.0, 2.3, 4.9, 5.2])
            word = rng.choice([".", "()", ")]}", "-\"", "\"'", ",.", " ."]) if rng.random() < 0.2 else f" w{i}"
            words.append(dict(word=word, start=round(at, 2), end=round(at + length, 2), probability=rng.choice([0.05, 0.14, 0.15, 0.16, 0.5, 0.9])))
            at += length
        segment = dict(start=5.0, end=round(at, 2) if words else 6.0, words=words)
        seen = run_window([segment], tokens, 0, 12000, 0.0, 1.0)
        yield dict(segment=plain_segments([segment])[0], anomalous=seen["dropped"])


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    files = dict(dtw=dtw_cases, median_filter=median_filter_cases, alignment=alignment_cases, punctuation=punctuation_cases,
                 word_timing=word_timing_cases, seek=seek_cases, anomaly=anomaly_cases)
    for name, cases in files.items():
        lines = [json.dumps(case, ensure_ascii=False, allow_nan=False) for case in cases()]
        path = OUT / f"{name}.json"
        path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
        print(f"{path.name}: {len(lines)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
