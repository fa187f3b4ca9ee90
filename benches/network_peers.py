#!/usr/bin/env python3
"""Encoder and decoder on one GPU beside openai/whisper and transformers, with random weights of a model's true shapes.

    pip install torch openai-whisper transformers          (those of the two that are installed are measured)
    python benches/network_peers.py target/debug/whisper-rs --models tiny.en base --compute_type float16 --batch 1 8 32

Each engine gets noise in the range of log-Mel features, encodes a batch of windows of 30 s, and decodes a fixed number of tokens after
a prompt of four, the most probable one each time, which the host reads before the next step. The peers run in this process, whisper-rs
(`bench network --random_weights`) before and after each of them; times are medians, in ms for each window and for each step of the whole
batch. Weights are random, so texts mean nothing and nothing ends early.
"""
import argparse
import json
import statistics
import subprocess
import sys
import time

import torch

# n_mels, width, heads, encoder layers, decoder layers, vocabulary: openai/whisper's published models.
SHAPES = {
    "tiny.en": (80, 384, 6, 4, 4, 51864),
    "base": (80, 512, 8, 6, 6, 51865),
    "large-v3-turbo": (128, 1280, 20, 32, 4, 51866),
    "large-v3": (128, 1280, 20, 32, 32, 51866),
}
PROMPT = [11, 12, 13, 14]
# Steps before the clock starts.
WARM_UP = 5


def milliseconds(call, runs):
    call()
    torch.cuda.synchronize()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(times)


def matrix_peak(dtype):
    """Operations a second of the device's own matrix product, 8192 each way."""
    factors = torch.randn(2, 8192, 8192, device="cuda", dtype=dtype)
    return 2 * 8192**3 / (1e-3 * milliseconds(lambda: factors[0] @ factors[1], 10))


def encoder_operations(name):
    """Of one window: two for each product that is summed."""
    n_mels, width, _, layers, _, _ = SHAPES[name]
    stem = 3 * width * (3000 * n_mels + 1500 * width)
    layer = 12 * 1500 * width**2 + 2 * 1500**2 * width
    return 2 * (stem + layers * layer)


class OpenAI:
    def __init__(self, name, dtype):
        from whisper.model import ModelDimensions, Whisper

        n_mels, width, heads, encoder, decoder, vocabulary = SHAPES[name]
        dims = ModelDimensions(n_mels, 1500, width, heads, encoder, vocabulary, 448, width, heads, decoder)
        with torch.device("cuda"):
            self.model = Whisper(dims)
        # As decode() computes in half precision: weights are cast at each use, norms are in float32.
        self.model = self.model.half() if dtype == torch.float16 else self.model
        for module in self.model.modules():
            if isinstance(module, torch.nn.LayerNorm):
                module.float()
        self.model.eval()

    def encode(self, mel):
        return self.model.encoder(mel)

    def start(self, features):
        cache, hooks = self.model.install_kv_cache_hooks()
        ids = torch.tensor([PROMPT] * features.shape[0], device="cuda")

        def step():
            nonlocal ids
            logits = self.model.decoder(ids, features, kv_cache=cache)
            ids = logits[:, -1].argmax(-1, keepdim=True)
            ids.tolist()

        return step, lambda: [hook.remove() for hook in hooks]


class Transformers:
    def __init__(self, name, dtype):
        from transformers import WhisperConfig, WhisperForConditionalGeneration

        n_mels, width, heads, encoder, decoder, vocabulary = SHAPES[name]
        config = WhisperConfig(
            vocab_size=vocabulary, num_mel_bins=n_mels, d_model=width, encoder_layers=encoder, decoder_layers=decoder,
            encoder_attention_heads=heads, decoder_attention_heads=heads, encoder_ffn_dim=4 * width, decoder_ffn_dim=4 * width,
        )  # fmt: skip
        with torch.device("cuda"):
            self.model = WhisperForConditionalGeneration(config).to(dtype).eval()

    def encode(self, mel):
        return self.model.model.encoder(mel).last_hidden_state

    def start(self, features):
        ids = torch.tensor([PROMPT] * features.shape[0], device="cuda")
        past = None

        def step():
            nonlocal ids, past
            out = self.model.model.decoder(ids, encoder_hidden_states=features, past_key_values=past, use_cache=True)
            past = out.past_key_values
            ids = self.model.proj_out(out.last_hidden_state[:, -1]).argmax(-1, keepdim=True)
            ids.tolist()

        return step, lambda: None


def ours(arguments, name):
    command = [arguments.bin, "bench", "network", "--random_weights", name.removesuffix(".en"), "--device", arguments.device]
    command += ["--compute_type", arguments.compute_type, "--tokens", str(arguments.tokens), "--runs", str(arguments.runs), "--json"]
    command += ["--batch"] + [str(size) for size in arguments.batch]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    stage = lambda batch, what: 1e3 * batch[what]["time"]["median"]
    return {batch["size"]: (stage(batch, "encoder") / batch["size"], stage(batch, "step")) for batch in report["batches"]}


def decoder_step(engine, features, tokens, runs):
    """Milliseconds, as of whisper-rs: after the prompt, whose step projects the encoder's output to keys and values, and some more."""
    times = []
    for _ in range(runs):
        step, end = engine.start(features)
        for _ in range(WARM_UP):
            step()
        begin = time.perf_counter()
        for _ in range(tokens):
            step()
        times.append(1e3 * (time.perf_counter() - begin) / tokens)
        end()
    return statistics.median(times)


@torch.no_grad()
def measure(engine, name, dtype, arguments):
    found = {}
    for size in arguments.batch:
        mel = torch.rand(size, SHAPES[name][0], 3000, device="cuda", dtype=dtype) * 2 - 1
        encoder = milliseconds(lambda: engine.encode(mel), arguments.runs)
        features = engine.encode(mel)
        found[size] = (encoder / size, decoder_step(engine, features, arguments.tokens, arguments.runs))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin")
    parser.add_argument("--models", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--device", default="cuda", help="of whisper-rs; the peers run on cuda")
    parser.add_argument("--compute_type", default="float16", choices=["float16", "float32"])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--tokens", type=int, default=50)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", nargs="+", default=["openai", "transformers"], choices=["openai", "transformers"])
    arguments = parser.parse_args()
    dtype = getattr(torch, arguments.compute_type)
    # float32 is compared with float32: no TF32.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    peak = matrix_peak(dtype)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {arguments.compute_type}, {arguments.tokens} tokens")
    print(f"its matrix product of {arguments.compute_type}: {1e-12 * peak:.0f} TFLOP/s, the peak that the encoder's share is of")
    for name in arguments.models:
        runs = [ours(arguments, name)]
        peers = {}
        for peer in arguments.peers:
            try:
                engine = {"openai": OpenAI, "transformers": Transformers}[peer](name, dtype)
            except ImportError as error:
                print(f"{peer}: {error}", file=sys.stderr)
                continue
            peers[peer] = measure(engine, name, dtype, arguments)
            del engine
            torch.cuda.empty_cache()
            runs.append(ours(arguments, name))
        for size in arguments.batch:
            us = [statistics.median(run[size][what] for run in runs) for what in (0, 1)]
            share = encoder_operations(name) / (1e-3 * us[0]) / peak
            line = f"{name:15} batch {size:2}: encoder {us[0]:8.2f} ms a window ({share:.1%} of peak), decoder {us[1]:8.2f} ms a step"
            for peer, found in peers.items():
                theirs = found[size]
                line += f" | {peer} {theirs[0]:.2f} ({us[0] / theirs[0]:.2f}), {theirs[1]:.2f} ({us[1] / theirs[1]:.2f})"
            print(line, flush=True)


if __name__ == "__main__":
    main()
