#!/usr/bin/env python3
"""The fused log-Mel features of every clip on a device, beside openai/whisper's and beside the definition in float64.

    pip install openai-whisper==20250625          (and ffmpeg on the PATH)
    python tests/tools/log_mel_reference.py target/debug/whisper-rs CLIP... [--device cuda] [--n_mels 80 128]

Each clip is decoded by ffmpeg to 16 kHz, mono, 16 bit, and these samples go to all three. A value may be off openai/whisper's by the
bound (1e-5 on a CPU, 1e-4 elsewhere) or, where openai/whisper's own float32 is further off float64 than that in a clip, by as much and
the 5e-6 that whisper-rs may then be off float64 to the other side; and off float64 by the bound. The exit status is 1 where a clip is not.
"""
import argparse
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np
import torch
from whisper.audio import HOP_LENGTH, N_FFT, log_mel_spectrogram, mel_filters


OTHER_SIDE = 5e-6


def samples_of(clip, folder):
    """A clip as a wav file of 16 kHz, mono, 16 bit, and its samples; ffmpeg decodes what is not one already."""
    if Path(clip).suffix == ".wav":
        with wave.open(str(clip)) as file:
            if (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2):
                return clip, to_float(file)
    path = Path(folder) / "clip.wav"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(clip), "-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le", str(path)]
    subprocess.run(command, check=True)
    with wave.open(str(path)) as file:
        return path, to_float(file)


def to_float(file):
    return np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768.0


def in_float64(samples, n_mels):
    """openai/whisper's definition (audio.py:110-157) in float64, with its own tables: window and filterbank are float32."""
    mirrored = np.pad(samples.astype(np.float64), N_FFT // 2, mode="reflect")
    count = samples.size // HOP_LENGTH
    window = torch.hann_window(N_FFT).numpy().astype(np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(mirrored, N_FFT)[::HOP_LENGTH][:count]
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    filters = mel_filters("cpu", n_mels).numpy().astype(np.float64)
    log = np.log10(np.maximum(filters @ power.T, 1e-10))
    return (np.maximum(log, log.max() - 8.0) + 4.0) / 4.0


def ours(binary, path, device, n_mels, folder):
    """The features of `whisper-rs bench frontend`."""
    features = Path(folder) / "features.f32"
    command = [binary, "bench", "frontend", str(path), "--device", device, "--n_mels", str(n_mels), "--runs", "1"]
    subprocess.run(command + ["--fused_only", "--features", str(features)], check=True, stdout=subprocess.DEVNULL)
    return np.fromfile(features, "<f4").reshape(n_mels, -1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("clips", nargs="+")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--n_mels", type=int, nargs="+", default=[80])
    arguments = parser.parse_args()
    bound = 1e-5 if arguments.device in ("cpu", "ndarray") else 1e-4
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for n_mels in arguments.n_mels:
            worst, checked, skipped, above, values = np.zeros(3), 0, 0, 0, 0
            for clip in arguments.clips:
                path, samples = samples_of(clip, folder)
                if samples.size <= N_FFT:
                    # Shorter than a frame: openai/whisper pads first, and the engine's tests have these lengths.
                    skipped += 1
                    continue
                reference = log_mel_spectrogram(torch.from_numpy(samples), n_mels).numpy()
                exact = in_float64(samples, n_mels)
                found = ours(arguments.binary, path, arguments.device, n_mels, folder)
                if found.shape != reference.shape:
                    print(f"{clip}: {found.shape} instead of {reference.shape}")
                    failed = True
                    continue
                errors = np.array([np.abs(found - reference).max(), np.abs(found - exact).max(), np.abs(reference - exact).max()])
                above += int((np.abs(found - reference) > 1e-5).sum())
                values += found.size
                if not (errors[0] <= max(bound, errors[2] + OTHER_SIDE) and errors[1] <= bound):
                    print(f"{clip}: {errors[0]:.1e} off openai/whisper, {errors[1]:.1e} off float64")
                    failed = True
                worst, checked = np.maximum(worst, errors), checked + 1
            print(
                f"{arguments.device}, {n_mels} mel bins, {checked} clips ({skipped} too short): ours to openai {worst[0]:.1e}, "
                f"ours to float64 {worst[1]:.1e}, openai to float64 {worst[2]:.1e}; "
                f"{above} of {values} values are off openai by more than 1e-5"
            )
    sys.exit(failed)


if __name__ == "__main__":
    main()
