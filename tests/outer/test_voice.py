"""The words of a call, the clips that say them, and how a backlog shortens them."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from displays import clips as bank
from displays import voice

NUMBERS = st.from_regex(r"[A-HJ-NP-Z][0-9]{3,4}", fullmatch=True)
CODES = st.from_regex(r"[A-Z]{0,2}[0-9]{1,3}|[A-Z]{1,3}", fullmatch=True)
KINDS = st.sampled_from(["comprehensive", "pickup", "consult"])


def call(number: str = "A001", window: str = "W03", kind: str = "comprehensive", recall: int = 0) -> dict:
    return {"number": number, "window": window, "window_kind": kind, "recall": recall}


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (0, "零"),
        (3, "三"),
        (10, "十"),
        (12, "十二"),
        (20, "二十"),
        (35, "三十五"),
        (100, "一百"),
        (105, "一百零五"),
        (109, "一百零九"),
        (110, "一百一十"),
        (120, "一百二十"),
        (999, "九百九十九"),
    ],
)
def test_window_numbers_are_read_as_numbers(n: int, words: str) -> None:
    assert voice.chinese_number(n) == words


@pytest.mark.parametrize(
    ("said", "zh", "en"),
    [
        (call(), "请A零零一号到三号窗口办理", "Ticket A001, please go to window 3."),
        (call("F1024", "W12"), "请F一零二四号到十二号窗口办理", "Ticket F1024, please go to window 12."),
        (
            call("F010", "P01", "pickup"),
            "请F零一零号到一号出件窗口领取",
            "Ticket F010, please go to pickup window 1.",
        ),
        (
            call(window="C2", kind="consult"),
            "请A零零一号到二号咨询窗口办理",
            "Ticket A001, please go to enquiry window 2.",
        ),
        (
            call(recall=1),
            "再次呼叫，请A零零一号到三号窗口办理",
            "Calling again. Ticket A001, please go to window 3.",
        ),
        (call(window="VIP"), "请A零零一号到VIP号窗口办理", "Ticket A001, please go to window VIP."),
    ],
)
def test_sentences(said: dict, zh: str, en: str) -> None:
    words = (said["number"], said["window"], said["window_kind"], said["recall"])
    assert voice.text_zh(*words) == zh
    assert voice.text_en(*words) == en


def test_clips_in_full_and_short() -> None:
    full = ["zh-please", "zh-A", "zh-0", "zh-0", "zh-1", "zh-number", "zh-to", "zh-10", "zh-2", "zh-number"]
    assert voice.clips(call(window="W12")) == [*full, "zh-window", "zh-business"]
    short = ["zh-A", "zh-0", "zh-0", "zh-1", "pause", "zh-3", "zh-number", "zh-window"]
    assert voice.clips(call(), short=True) == short
    english = [
        "en-ticket",
        "en-A",
        "en-0",
        "en-0",
        "en-1",
        "pause",
        "en-please",
        "en-window",
        "en-20",
        "en-3",
    ]
    assert voice.clips(call(window="W23"), "en") == english


@given(NUMBERS, CODES, KINDS, st.integers(0, 3), st.sampled_from(["zh", "en"]), st.booleans())
def test_every_clip_of_every_call_is_in_the_bank(
    number: str, window: str, kind: str, recall: int, language: str, short: bool
) -> None:
    said = voice.clips(call(number, window, kind, recall), language, short=short)
    assert set(said) <= voice.BANK.keys()
    told = [clip.removeprefix(f"{language}-") for clip in said]
    assert "".join(told).find("".join(number)) >= 0  # each character of the number, in order


@given(NUMBERS, CODES, KINDS, st.integers(0, 3))
def test_the_clips_say_the_sentence(number: str, window: str, kind: str, recall: int) -> None:
    said = voice.clips(call(number, window, kind, recall))
    words = "".join("，" if clip == voice.PAUSE else voice.BANK[clip][1] for clip in said)
    assert words == voice.text_zh(number, window, kind, recall)


@pytest.mark.parametrize(
    ("waiting", "plan"),
    [
        (1, voice.Plan(2)),
        (2, voice.Plan(2)),
        (3, voice.Plan(1)),
        (5, voice.Plan(1)),
        (6, voice.Plan(1, short=True)),
        (60, voice.Plan(1, short=True)),
    ],
)
def test_a_backlog_shortens_and_never_drops(waiting: int, plan: voice.Plan) -> None:
    assert voice.plan(waiting) == plan


def test_default_bank_has_a_sound_for_every_clip(tmp_path: Path) -> None:
    assert bank.build(tmp_path) == len(voice.BANK)
    assert {path.stem for path in tmp_path.iterdir()} == voice.BANK.keys()
    for path in tmp_path.iterdir():
        with wave.open(str(path)) as sound:
            assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2) and sound.getframerate() <= 22_050
            assert 0.1 < sound.getnframes() / sound.getframerate() < 2.5, path.name
