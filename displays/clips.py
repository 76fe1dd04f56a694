"""Builds the default bank of voice clips with espeak-ng, offline: `python -m displays.clips [FOLDER]`.

The voice is a robot's and is meant to be replaced by recordings of the same names (see displays/README.md).
"""

from __future__ import annotations

import array
import ctypes
import math
import sys
import tempfile
import wave
from pathlib import Path

import espeakng_loader

from displays.voice import BANK, CHIME, PAUSE

FOLDER = Path(__file__).parent / "static" / "vendor" / "clips"
VOICES = {"zh": b"cmn", "en": b"en-us"}
WORDS_PER_MINUTE = {"zh": 150, "en": 145}
PAUSE_S = 0.22

# of speak_lib.h
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_PARAMETER_RATE = 1
_POSITION_CHARACTER = 1
_CHARS_UTF8 = 1
_LONGEST_DATA_PATH = 120  # the library keeps the path in 160 bytes and does not look

_Samples = ctypes.POINTER(ctypes.c_short)
_Heard = ctypes.CFUNCTYPE(ctypes.c_int, _Samples, ctypes.c_int, ctypes.c_void_p)


class Speaker:
    """libespeak-ng, asked for samples instead of sound. One a process."""

    def __init__(self, data: Path) -> None:
        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        self.heard = array.array("h")
        self.rate = self.library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, str(data).encode(), 0)
        if self.rate <= 0:
            raise RuntimeError(f"espeak-ng does not start with the data in {data}")
        self.callback = _Heard(self._hear)  # kept, or it is collected while the library holds it
        self.library.espeak_SetSynthCallback(self.callback)

    def _hear(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
        if samples and count > 0:
            self.heard.frombytes(ctypes.string_at(samples, count * 2))
        return 0

    def say(self, text: str, language: str) -> array.array[int]:
        """The samples of the words, silence at both ends cut off."""
        self.heard = array.array("h")
        self.library.espeak_SetVoiceByName(VOICES[language])
        self.library.espeak_SetParameter(_PARAMETER_RATE, WORDS_PER_MINUTE[language], 0)
        said = text.encode() + b"\0"
        self.library.espeak_Synth(said, len(said), 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None)
        self.library.espeak_Synchronize()
        return _trimmed(self.heard, self.rate)


def build(folder: Path = FOLDER) -> int:
    """Write every clip of the bank as 16-bit mono WAV into `folder` and say how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as short:
        data = Path(espeakng_loader.get_data_path())
        if len(str(data)) > _LONGEST_DATA_PATH:
            link = Path(short) / "espeak-ng-data"
            link.symlink_to(data)
            data = link
        speaker = Speaker(data)
        for name, (language, text) in BANK.items():
            if name == CHIME:
                samples = _chime(speaker.rate)
            elif name == PAUSE:
                samples = array.array("h", bytes(2 * int(PAUSE_S * speaker.rate)))
            else:
                samples = speaker.say(text, language)
            if not samples:
                raise RuntimeError(f"espeak-ng says nothing for {name} ({text})")
            _write(folder / f"{name}.wav", samples, speaker.rate)
    return len(BANK)


def _trimmed(samples: array.array[int], rate: int) -> array.array[int]:
    """From the first to the last audible sample with a little air, equally loud, softly cut."""
    loud = [i for i, s in enumerate(samples) if abs(s) > 300]
    if not loud:
        return array.array("h")
    air = rate // 80
    cut = samples[max(0, loud[0] - air) : loud[-1] + 2 * air]
    gain = 26000 / max(abs(s) for s in cut)
    fade = min(rate // 200, len(cut) // 2)
    shaped = array.array("h")
    for i, s in enumerate(cut):
        edge = min(i, len(cut) - 1 - i)
        shaped.append(int(s * gain * min(1.0, edge / fade)))
    return shaped


def _chime(rate: int) -> array.array[int]:
    """Two soft bells, a third apart, 1.2 s."""
    length = int(1.2 * rate)
    samples = array.array("h")
    for i in range(length):
        t = i / rate
        value = 0.0
        for start, hertz in ((0.0, 659.3), (0.35, 523.3)):
            if t >= start:
                since = t - start
                swell = min(1.0, since / 0.008) * math.exp(-since * 4.5)
                value += swell * (math.sin(math.tau * hertz * since) + 0.25 * math.sin(math.tau * 2 * hertz * since))
        samples.append(int(11000 * value * min(1.0, (length - i) / (0.05 * rate))))
    return samples


def _write(path: Path, samples: array.array[int], rate: int) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    print(f"{build(folder)} clips in {folder}")


if __name__ == "__main__":
    main()
