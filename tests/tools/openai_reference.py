#!/usr/bin/env python3
"""openai/whisper as the reference: loads the weights that whisper-rs uses and writes the numbers that the tests compare with.

    pip install openai-whisper==20250625 safetensors          (and ffmpeg on the PATH)
    python tests/tools/openai_reference.py check  --model base --weights FOLDER
    python tests/tools/openai_reference.py write  --model base --weights FOLDER

FOLDER holds a CTranslate2 `model.bin` of version 6 (f32 or f16). `write` fills tests/data/reference; `check` computes the same
again and says how far the committed numbers are from it; `--only options` does so for the sets of options alone. As a module, `load_model` gives a `whisper.model.Whisper` in f32 on the CPU.
"""
import argparse
import copy
import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch
import whisper
from whisper.model import ModelDimensions, Whisper

DATA = Path(__file__).resolve().parent.parent / "data"
GREEDY = dict(temperature=0.0, beam_size=None, best_of=None, fp16=False, verbose=None)
# Frames of jfk's log-Mel that are kept: the clip's 1,100 and a few of the constant silence that follows.
MEL_FRAMES = 1104
# Positions of the stem's output that are kept, and the stride over the encoder's 1,500.
STEM_POSITIONS = 64
ENCODER_STRIDE = 16

# Clips that are kept with words, and options beside them: several windows, a loop, no spaces between words, no words.
WITH_WORDS = {
    "jfk": {},
    "sonnet1": {},
    "sonnet1-31.9s": dict(hallucination_silence_threshold=0.5),
    "silero_test": {},
    "leopard_test_ja": {},
    "noise_sb1": dict(hallucination_silence_threshold=0.5),
    "gen_0.1s": {},
}

# Sets of options that are kept: model -> name -> (clip, options). Each changes its clip's transcript or the numbers beside it.
SMALL_LETTERS = "the sonnets of shakespeare, all in small letters and without full stops"
# Two tokens more than the model takes as context, so that what is carried leaves less than no room.
TOO_LONG = " ".join(["The sonnets of William Shakespeare, read aloud for LibriVox."] * 15)
ALL_OF_JFK = "And so my fellow Americans ask not what your country can do for you, ask what you can do for your country."
OPTION_SETS = {
    "tiny.en": {
        "initial_prompt": ("sonnet1", dict(initial_prompt=SMALL_LETTERS)),
        "initial_prompt_too_long": ("sonnet1-31.9s", dict(initial_prompt=TOO_LONG)),
        "carry_initial_prompt": ("sonnet1", dict(initial_prompt=SMALL_LETTERS, carry_initial_prompt=True, condition_on_previous_text=False)),
        "carry_initial_prompt_too_long": ("sonnet1", dict(initial_prompt=TOO_LONG, carry_initial_prompt=True)),
        "condition_on_previous_text": ("sonnet1", dict(condition_on_previous_text=False)),
        "prefix": ("jfk", dict(prefix="And")),
        "prefix_and_sample_len": ("jfk", dict(prefix=" And so my fellow ", sample_len=220, without_timestamps=True)),
        "without_timestamps": ("sonnet1", dict(without_timestamps=True)),
        "sample_len": ("jfk", dict(sample_len=8)),
        "clip_timestamps": ("jfk", dict(clip_timestamps=[3.005, 8.0, 9.5])),
        "clip_timestamps_backwards": ("sonnet1", dict(clip_timestamps=[41.25, 50.005, 30.0, 38.0, 47.0])),
        "max_initial_timestamp_0": ("gen_zeros_5s", dict(max_initial_timestamp=0, no_speech_threshold=None)),
        "max_initial_timestamp_none": ("noise_sb1", dict(max_initial_timestamp=None, no_speech_threshold=None)),
        "suppress_tokens_none": ("gen_zeros_5s", dict(suppress_tokens=[], no_speech_threshold=None)),
        "suppress_tokens_listed": ("jfk", dict(suppress_tokens=[1265, 13])),
        "suppress_tokens_and_symbols": ("jfk", dict(suppress_tokens=[-1, 1265])),
        "no_speech_threshold": ("noise_sb1", dict(no_speech_threshold=None)),
        "patience_and_length_penalty": ("sonnet1-30.5s", dict(beam_size=5, patience=2.0, length_penalty=0.6)),
        "punctuations": ("jfk", dict(word_timestamps=True, prepend_punctuations="", append_punctuations="")),
    },
    "base": {
        "translate_de": ("leopard_test_de", dict(task="translate")),
        "translate_ja": ("leopard_test_ja", dict(task="translate")),
        "translate_ru": ("ru_cv", dict(task="translate")),
        "language": ("leopard_test_de", dict(language="en")),
        "prefix_de": ("leopard_test_de", dict(prefix="Das", without_timestamps=True)),
        "initial_prompt_ja": ("leopard_test_ja", dict(initial_prompt="日本語のテストです。")),
        "suppress_blank": ("gen_zeros_5s", dict(suppress_blank=False, without_timestamps=True, no_speech_threshold=None)),
        # A window that ends at once. Without a length penalty openai/whisper divides by its number of tokens, 0, and fails.
        "suppress_blank_and_nothing_to_say": ("jfk", dict(prefix=ALL_OF_JFK, suppress_blank=False, without_timestamps=True, length_penalty=1.0)),
        "suppress_tokens_none": ("noise_sb1", dict(suppress_tokens=[], no_speech_threshold=None)),
    },
}

CT2_DTYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


def read_ct2(path):
    """The variables of a CTranslate2 file (version 6) as numpy arrays, by name."""
    data, at = Path(path).read_bytes(), 0

    def number(fmt):
        nonlocal at
        (value,) = struct.unpack_from("<" + fmt, data, at)
        at += struct.calcsize("<" + fmt)
        return value

    def string():
        nonlocal at
        length = number("H")
        value = data[at : at + length - 1].decode()
        at += length
        return value

    version, spec, _revision = number("I"), string(), number("I")
    if version != 6 or spec != "WhisperSpec":
        raise ValueError(f"{path}: {spec!r} version {version}, not a Whisper model of version 6")
    out = {}
    for _ in range(number("I")):
        name, rank = string(), number("B")
        shape = [number("I") for _ in range(rank)]
        dtype, size = CT2_DTYPES[number("B")], number("I")
        out[name] = np.frombuffer(data, dtype, size // np.dtype(dtype).itemsize, at).reshape(shape)
        at += size
    return out


def openai_state(ct2):
    """The same tensors under openai/whisper's names, f32; stacked projections are split."""
    state = {}

    def put(name, array):
        state[name] = torch.from_numpy(np.array(array, dtype=np.float32))

    def linear(ours, array_name, parts=("",)):
        for kind in ("weight", "bias"):
            rows = np.split(ct2[f"{array_name}/{kind}"], len(parts))
            for part, row in zip(parts, rows):
                if not (kind == "bias" and part == "key"):
                    put(f"{ours}{'.' if part else ''}{part}.{kind}", row)

    def norm(ours, name):
        put(f"{ours}.weight", ct2[f"{name}/gamma"])
        put(f"{ours}.bias", ct2[f"{name}/beta"])

    for conv in ("conv1", "conv2"):
        linear(f"encoder.{conv}", f"encoder/{conv}")
    for side in ("encoder", "decoder"):
        put(f"{side}.positional_embedding", ct2[f"{side}/position_encodings/encodings"])
        norm("encoder.ln_post" if side == "encoder" else "decoder.ln", f"{side}/layer_norm")
        for n in range(layers(ct2, side)):
            theirs, ours = f"{side}/layer_{n}", f"{side}.blocks.{n}"
            linear(f"{ours}.attn", f"{theirs}/self_attention/linear_0", ("query", "key", "value"))
            linear(f"{ours}.attn.out", f"{theirs}/self_attention/linear_1")
            norm(f"{ours}.attn_ln", f"{theirs}/self_attention/layer_norm")
            if side == "decoder":
                linear(f"{ours}.cross_attn.query", f"{theirs}/attention/linear_0")
                linear(f"{ours}.cross_attn", f"{theirs}/attention/linear_1", ("key", "value"))
                linear(f"{ours}.cross_attn.out", f"{theirs}/attention/linear_2")
                norm(f"{ours}.cross_attn_ln", f"{theirs}/attention/layer_norm")
            linear(f"{ours}.mlp.0", f"{theirs}/ffn/linear_0")
            linear(f"{ours}.mlp.2", f"{theirs}/ffn/linear_1")
            norm(f"{ours}.mlp_ln", f"{theirs}/ffn/layer_norm")
    put("decoder.token_embedding.weight", ct2["decoder/embeddings/weight"])
    return state


def layers(ct2, side):
    """Number of layers of the encoder or the decoder, from the names."""
    return len({name.split("/")[1] for name in ct2 if name.startswith(f"{side}/layer_") and name.split("/")[1] != "layer_norm"})


def load_model(weights, name):
    """openai/whisper's model in f32 on the CPU with the weights of a CTranslate2 folder or file; `name` picks its alignment heads."""
    path = Path(weights)
    ct2 = read_ct2(path / "model.bin" if path.is_dir() else path)
    state = openai_state(ct2)
    audio_ctx, audio_state = state["encoder.positional_embedding"].shape
    text_ctx, text_state = state["decoder.positional_embedding"].shape
    dims = ModelDimensions(
        n_mels=state["encoder.conv1.weight"].shape[1], n_audio_ctx=audio_ctx, n_audio_state=audio_state,
        n_audio_head=int(ct2["encoder/num_heads"]), n_audio_layer=layers(ct2, "encoder"),
        n_vocab=state["decoder.token_embedding.weight"].shape[0], n_text_ctx=text_ctx, n_text_state=text_state,
        n_text_head=int(ct2["decoder/num_heads"]), n_text_layer=layers(ct2, "decoder"),
    )
    model = Whisper(dims)
    model.load_state_dict(state, strict=True)
    model.set_alignment_heads(whisper._ALIGNMENT_HEADS[name])
    return model.eval()


def transcribe(model, audio, **options):
    """openai/whisper's `transcribe`, greedy at temperature 0 without fallback or words; for a multilingual model it detects the language."""
    return whisper.transcribe(model, audio, **{**GREEDY, **options})


def stages(model, audio):
    """What the model computes on a clip up to its first logits, each as f32.

    The features are those of the clip followed by silence up to 30 s, as language detection sees them; the prompt is the start
    sequence (English for a multilingual model).
    """
    kept = {}
    hook = model.encoder.conv2.register_forward_hook(lambda _module, _input, output: kept.update(conv2=output))
    mel = whisper.pad_or_trim(whisper.log_mel_spectrogram(audio, model.dims.n_mels, padding=whisper.audio.N_SAMPLES), 3000)
    tokenizer = whisper.tokenizer.get_tokenizer(
        model.is_multilingual, num_languages=model.num_languages, language="en" if model.is_multilingual else None, task="transcribe"
    )
    with torch.no_grad():
        encoder = model.encoder(mel[None])
        prompt = torch.tensor([list(tokenizer.sot_sequence)])
        logits = model.decoder(prompt, encoder)
    hook.remove()
    stem = torch.nn.functional.gelu(kept["conv2"][0]).T
    return dict(mel=mel, stem=stem, encoder=encoder[0], logits=logits[0], prompt=prompt[0].int())


def clips():
    """(name, samples) of each line of tests/data/clips.tsv, cut to the length given there."""
    for line in (DATA / "clips.tsv").read_text().splitlines()[1:]:
        name, file, samples, languages = line.split("\t")
        audio = whisper.load_audio(str(DATA / file))
        yield name, audio[: int(samples)] if samples else audio, languages


def references(model):
    """(path under tests/data/reference, dict of arrays or a transcript) of everything that is committed for a model."""
    name = model.name
    whole = stages(model, whisper.load_audio(str(DATA / "jfk.wav")))
    yield "jfk-mel.safetensors", dict(mel=whole["mel"][:, :MEL_FRAMES].T)
    yield f"{name}/jfk-stages.safetensors", dict(
        stem=whole["stem"][:STEM_POSITIONS], encoder=whole["encoder"][::ENCODER_STRIDE], prompt=whole["prompt"],
        logits=whole["logits"][-1], logits_at_start=whole["logits"][0],
    )
    for clip, audio, languages in clips():
        if model.is_multilingual or languages in ("en", "none"):
            yield f"{name}/{clip}.json", ordered(transcribe(model, audio))
            if clip in WITH_WORDS:
                options = dict(word_timestamps=True, **WITH_WORDS[clip])
                result = transcribe(model, audio, **options)
                yield f"{name}/{clip}-words.json", dict(options=options, **ordered(result))
    yield from option_sets(model)


def option_sets(model):
    """The transcripts of the model's sets of options, as `references` gives them."""
    samples = {clip: audio for clip, audio, _ in clips()}
    for set_name, (clip, options) in OPTION_SETS.get(model.name, {}).items():
        # A copy: openai/whisper adds to the list of suppressed tokens that it is given.
        result = transcribe(model, samples[clip], **copy.deepcopy(options))
        yield f"{model.name}/options/{set_name}.json", dict(clip=clip, options=options, **ordered(result))


def ordered(result):
    """A result with its keys as openai/whisper's command writes them."""
    return dict(text=result["text"], segments=result["segments"], language=result["language"])


def difference(committed, computed):
    """A word on how far a committed reference is from what is computed now."""
    if isinstance(computed["segments"] if "segments" in computed else None, list):
        same_tokens = [s["tokens"] for s in committed["segments"]] == [s["tokens"] for s in computed["segments"]]
        worst = max((abs(a[k] - b[k]) for a, b in zip(committed["segments"], computed["segments"])
                     for k in ("start", "end", "avg_logprob", "compression_ratio", "no_speech_prob")), default=0.0)
        words = [[w for s in result["segments"] for w in s.get("words", [])] for result in (committed, computed)]
        same_words = [w["word"] for w in words[0]] == [w["word"] for w in words[1]]
        worst_word = max((abs(a[k] - b[k]) for a, b in zip(*words) for k in ("start", "end", "probability")), default=0.0)
        return (f"tokens {'equal' if same_tokens else 'DIFFER'}, worst number {worst:.1e}, "
                f"words {'equal' if same_words else 'DIFFER'}, worst number of a word {worst_word:.1e}")
    return ", ".join(f"{k} {np.abs(committed[k] - computed[k].numpy()).max():.1e}" for k in computed)


def main():
    from safetensors.numpy import load_file, save_file

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["write", "check"])
    parser.add_argument("--model", required=True, choices=sorted(whisper._ALIGNMENT_HEADS))
    parser.add_argument("--weights", required=True, help="folder with the CTranslate2 model.bin")
    parser.add_argument("--only", choices=["options"], help="leave everything else as it is")
    parser.add_argument("--out", type=Path, default=DATA / "reference")
    args = parser.parse_args()
    model = load_model(args.weights, args.model)
    model.name = args.model
    for path, value in option_sets(model) if args.only else references(model):
        target = args.out / path
        is_transcript = target.suffix == ".json"
        if args.action == "check":
            committed = json.loads(target.read_text()) if is_transcript else load_file(target)
            print(f"{path}: {difference(committed, value)}")
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if is_transcript:
            target.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
        else:
            save_file({k: np.ascontiguousarray(v.numpy()) for k, v in value.items()}, target)
        print(path)


if __name__ == "__main__":
    sys.exit(main())
