#!/usr/bin/env python3
"""How close openai/whisper's greedy choices are: for each clip the smallest margins, in logits, that its transcript hangs on.

    python tests/tools/token_margins.py --model base --weights FOLDER [--least 5] [--json] CLIP...
    python tests/tools/token_margins.py --model base --weights FOLDER --fallback [--seeds 3] CLIP...

Two floating-point programs that agree to 1e-4 in their logits may differ where a margin is smaller than that, and from there to the
end of the file. A step has two margins: best token to runner-up, after every filter; and the one of the timestamp rule, which takes a
timestamp when the probability of all timestamps together exceeds that of the best text token.

--fallback is for the setting `default`, beams of 5 and fallback with best of 5: it prints each attempt at a window with the numbers
that the thresholds (compression ratio 2.4, mean log-probability -1, no speech 0.6) are held against, for seeds of PyTorch from 0 on.
Where attempts of several seeds fall on both sides of a threshold, what becomes of the window is drawn.
"""
import argparse
import json

import torch
import whisper.decoding as decoding

import openai_reference


class Recorder:
    """Wraps openai/whisper's greedy decoder and timestamp filter, and notes the margins of each step."""

    def __init__(self):
        self.windows, self.results, self.last_logprobs = [], [], None
        softmax, update, apply, run = (decoding.F.log_softmax, decoding.GreedyDecoder.update,
                                       decoding.ApplyTimestampRules.apply, decoding.DecodingTask.run)

        def log_softmax(*args, **kwargs):
            self.last_logprobs = softmax(*args, **kwargs)
            return self.last_logprobs

        def recorded_apply(rules, logits, tokens):
            apply(rules, logits, tokens)
            begin = rules.tokenizer.timestamp_begin
            stamps, text = self.last_logprobs[0, begin:].logsumexp(-1), self.last_logprobs[0, :begin].max()
            self.rule = (stamps - text).item() if stamps.isfinite() and text.isfinite() else None

        def recorded_update(decoder, tokens, logits, sum_logprobs):
            (best, second), (token, other) = ((pair.tolist()) for pair in logits[0].topk(2))
            self.windows[-1].append(dict(step=len(self.windows[-1]), token=token, runner_up=other, margin=best - second, rule=self.rule))
            return update(decoder, tokens, logits, sum_logprobs)

        def recorded_run(task, mel):
            self.windows.append([])
            results = run(task, mel)
            self.results += results
            return results

        decoding.F.log_softmax = log_softmax
        decoding.ApplyTimestampRules.apply = recorded_apply
        decoding.GreedyDecoder.update = recorded_update
        decoding.DecodingTask.run = recorded_run

    def take(self):
        windows, self.windows, self.results = self.windows, [], []
        return windows


def smallest(windows, count):
    """The `count` closest decisions of a clip: (margin, window, step, what)."""
    found = []
    for index, steps in enumerate(windows):
        for step in steps:
            if torch.isfinite(torch.tensor(step["margin"])):
                found.append((step["margin"], index, step["step"], f"token {step['token']} before {step['runner_up']}"))
            if step["rule"] is not None:
                found.append((abs(step["rule"]), index, step["step"], "timestamps " + ("win" if step["rule"] > 0 else "lose") + " by the sum rule"))
    return sorted(found)[:count]


def print_attempts(model, recorder, clip, seeds):
    """Every attempt at every window of a clip, and what was kept, for each seed."""
    for seed in range(seeds):
        torch.manual_seed(seed)
        kept = openai_reference.transcribe(model, clip, temperature=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0), beam_size=5, best_of=5)
        print(f"{clip}, seed {seed}: {len(kept['segments'])} segments")
        for result in recorder.results:
            print(f"  temperature {result.temperature:.1f}: compression ratio {result.compression_ratio:.3f}, "
                  f"log-probability {result.avg_logprob:.4f}, no speech {result.no_speech_prob:.4f}, {len(result.tokens)} tokens", flush=True)
        recorder.take()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+")
    parser.add_argument("--model", required=True)
    parser.add_argument("--weights", required=True, help="folder with the CTranslate2 model.bin")
    parser.add_argument("--least", type=int, default=5)
    parser.add_argument("--task", default="transcribe", choices=["transcribe", "translate"])
    parser.add_argument("--fallback", action="store_true", help="beams and fallback: the numbers that decide on each attempt")
    parser.add_argument("--seeds", type=int, default=3, help="with --fallback")
    parser.add_argument("--json", action="store_true", help="one JSON object a clip, with the transcript")
    args = parser.parse_args()
    model, recorder = openai_reference.load_model(args.weights, args.model), Recorder()
    for clip in args.clips:
        if args.fallback:
            print_attempts(model, recorder, clip, args.seeds)
            continue
        result = openai_reference.transcribe(model, clip, task=args.task)
        closest = smallest(recorder.take(), args.least)
        if args.json:
            print(json.dumps(dict(clip=clip, closest=closest, result=result)), flush=True)
            continue
        print(clip)
        for margin, window, step, what in closest:
            print(f"  {margin:9.6f}  window {window}, step {step}: {what}", flush=True)


if __name__ == "__main__":
    main()
