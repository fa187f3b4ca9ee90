"""Audio for engines that take samples."""
import subprocess
import wave

SAMPLE_RATE = 16000


def read(file):
    """16 kHz mono in [-1, 1): from a WAV file that holds just that, else by ffmpeg, as openai/whisper reads it."""
    import numpy as np  # Not before the engine imports it: that time is the engine's.

    pcm = plain_wav(file)
    if pcm is None:
        command = ["ffmpeg", "-nostdin", "-v", "error", "-i", file, "-f", "s16le", "-ac", "1", "-ar", str(SAMPLE_RATE), "-"]
        pcm = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(pcm, np.int16).astype(np.float32) / 32768


def plain_wav(file):
    """The bytes of a 16 kHz mono 16-bit WAV file."""
    try:
        with wave.open(file) as audio:
            if (audio.getframerate(), audio.getnchannels(), audio.getsampwidth()) == (SAMPLE_RATE, 1, 2):
                return audio.readframes(audio.getnframes())
    except (wave.Error, EOFError):
        pass
    return None
