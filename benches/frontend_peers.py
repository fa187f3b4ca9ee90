#!/usr/bin/env python3
"""Log-Mel features of one file by other libraries, beside `whisper-rs bench frontend`.

usage: frontend_peers.py BIN FILE [--device cpu|cuda] [--seconds S ...] [--runs N] [--peers openai,torch,torchaudio,librosa,whispercpp]

Runs `BIN bench frontend FILE --fused_only --json` and, in this process, the same features (80 mel bins, one frame each 10 ms, log10
with openai/whisper's normalisation) by the libraries that are installed:
  openai      openai/whisper's log_mel_spectrogram, its own code (float32)
  torch       torch.stft with a mel matrix, on the device
  torchaudio  torchaudio.transforms.MelSpectrogram, on the device
  librosa     librosa.feature.melspectrogram (CPU alone)
  whispercpp  whisper.cpp's whisper_pcm_to_mel through pywhispercpp (CPU alone; needs --ggml MODEL)
Samples are in device memory before the clock starts, and features stay there. Ours runs between the others' runs, and ratios are
of medians. Prints a table and, with --json FILE, all times.
"""
import argparse, json, os, statistics, subprocess, sys, time, wave

import numpy as np


def samples_of(path, seconds):
    """The file's samples (16 kHz mono 16-bit WAV), repeated to the length asked for."""
    with wave.open(path) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (16000, 1, 2):
            sys.exit(f'{path}: give a 16 kHz mono 16-bit WAV')
        pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
    if seconds:
        pcm = np.resize(pcm, int(seconds * 16000))
    return pcm


def timed(call, wait, runs):
    for _ in range(3):
        call()
    wait()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        wait()
        times.append(time.perf_counter() - begin)
    return times


def peers(names, pcm, device, args):
    """Yields (name, call); a peer that is not installed is named on stderr."""
    torch = None
    try:
        import torch
    except ImportError:
        pass
    audio = torch.from_numpy(pcm).to(device) if torch else None

    def normalise(mel):
        log = torch.clamp(mel, min=1e-10).log10()
        return (torch.maximum(log, log.max() - 8.0) + 4.0) / 4.0

    if 'openai' in names:
        try:
            from whisper.audio import log_mel_spectrogram
            yield 'openai/whisper', lambda: log_mel_spectrogram(audio, 80)
        except ImportError as error:
            print(f'openai-whisper is not installed: {error}', file=sys.stderr)
    if 'torch' in names and torch:
        def slaney():
            hz = lambda m: m * 200 / 3 if m < 15 else 1000 * np.exp((m - 15) * np.log(6.4) / 27)
            edges = np.array([hz(m) for m in np.linspace(0, 15 + 27 * np.log(8) / np.log(6.4), 82)])
            bins = np.arange(201) * 40.0
            rising = (bins[None] - edges[:-2, None]) / np.diff(edges)[:-1, None]
            falling = (edges[2:, None] - bins[None]) / np.diff(edges)[1:, None]
            return np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))[:, None]
        matrix = torch.from_numpy(slaney().astype(np.float32)).to(device)
        window = torch.hann_window(400).to(device)
        def by_stft():
            power = torch.stft(audio, 400, 160, window=window, return_complex=True)[..., :-1].abs() ** 2
            return normalise(matrix @ power)
        yield 'torch.stft', by_stft
    if 'torchaudio' in names and torch:
        try:
            import torchaudio
            transform = torchaudio.transforms.MelSpectrogram(16000, 400, hop_length=160, n_mels=80, norm='slaney', mel_scale='slaney').to(device)
            yield 'torchaudio', lambda: normalise(transform(audio)[..., :-1])
        except Exception as error:
            print(f'torchaudio cannot run: {error}', file=sys.stderr)
    if 'librosa' in names and device == 'cpu':
        try:
            import librosa
            def by_librosa():
                mel = librosa.feature.melspectrogram(y=pcm, sr=16000, n_fft=400, hop_length=160, n_mels=80, pad_mode='reflect')[:, :-1]
                log = np.log10(np.maximum(mel, 1e-10))
                return (np.maximum(log, log.max() - 8.0) + 4.0) / 4.0
            yield 'librosa', by_librosa
        except ImportError as error:
            print(f'librosa is not installed: {error}', file=sys.stderr)
    if 'whispercpp' in names and device == 'cpu' and args.ggml:
        try:
            import _pywhispercpp as cpp
            context = cpp.whisper_init_from_file_with_params(args.ggml, cpp.whisper_context_default_params())
            threads = args.threads or os.cpu_count()
            yield 'whisper.cpp', lambda: cpp.whisper_pcm_to_mel(context, pcm, len(pcm), threads)
        except Exception as error:
            print(f'pywhispercpp cannot run: {error}', file=sys.stderr)


def ours(args, seconds, device):
    command = [args.bin, 'bench', 'frontend', args.file, '--device', device, '--runs', str(args.runs), '--fused_only', '--json']
    if seconds:
        command += ['--seconds', str(seconds)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('bin')
    parser.add_argument('file')
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'], help="the peers' device")
    parser.add_argument('--ours', nargs='*', help='our devices, the same as --device by default')
    parser.add_argument('--seconds', nargs='*', type=float, default=[0])
    parser.add_argument('--runs', type=int, default=20)
    parser.add_argument('--threads', type=int, default=0)
    parser.add_argument('--ggml', help="a ggml model for whisper.cpp's mel")
    parser.add_argument('--peers', default='openai,torch,torchaudio,librosa,whispercpp')
    parser.add_argument('--json')
    args = parser.parse_args()
    if args.threads:
        os.environ['RAYON_NUM_THREADS'] = os.environ['OMP_NUM_THREADS'] = str(args.threads)
    wait, peak = (lambda: None), (lambda: None)
    if args.device == 'cuda':
        import torch
        wait = torch.cuda.synchronize
        peak = torch.cuda.max_memory_allocated
    rows = []
    for seconds in args.seconds:
        pcm = samples_of(args.file, seconds)
        print(f'{len(pcm) / 16000:.0f} s of audio')
        mine = {device: [] for device in args.ours or [args.device]}
        measure = lambda: [runs.append(ours(args, seconds, device)) for device, runs in mine.items()]
        measure()
        found = []
        for name, call in peers(args.peers.split(','), pcm, args.device, args):
            if args.device == 'cuda':
                import torch
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            times = timed(call, wait, args.runs)
            found.append((name, times, peak()))
            measure()
        for device, runs in mine.items():
            median = statistics.median(run['fused']['time']['median'] for run in runs)
            first = runs[0]
            print(f"  whisper-rs {device:8} {median * 1e3:9.3f} ms   {first['fused']['times_floor']:5.1f} x floor ({first['floor']['median'] * 1e3:.3f} ms)"
                  f"   launches {first['fused']['launches']}   device peak {first['fused']['peak_device_bytes']}")
            for name, times, memory in found:
                other = statistics.median(times)
                print(f'    {name:16} {other * 1e3:9.3f} ms   {other / median:6.2f} x ours   device peak {memory}')
            rows.append({'seconds': len(pcm) / 16000, 'device': device, 'ours': runs, 'peers': [{'name': n, 'times': t, 'peak': p} for n, t, p in found]})
    if args.json:
        with open(args.json, 'w') as file:
            json.dump(rows, file)


if __name__ == '__main__':
    main()
