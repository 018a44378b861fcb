"""The watchdog over a slow embedded model, without one."""

from __future__ import annotations

import pytest

from novum.errors import StudyError
from novum.llm.stream import ReplyStream


@pytest.mark.parametrize(
    ("seconds_per_token", "warnings"), [([0.04] * 400, 0), ([0.5] * 60, 1), ([0.04] * 400 + [2.0] * 10, 1)]
)
def test_a_slow_model_warns_once_and_names_the_load(seconds_per_token: list[float], warnings: int) -> None:
    now = 0.0
    told: list[str] = []
    stream = ReplyStream(None, told.append, clock=lambda: now)
    for number, seconds in enumerate(seconds_per_token):
        now += seconds
        stream.on_chunk({"choices": [{"delta": {"content": f"w{number} "}}]})
    assert len(told) == warnings
    assert all("load is" in text for text in told)


def test_what_a_callback_raises_is_not_lost() -> None:
    def full_disk(_: str) -> None:
        raise StudyError("cannot write the event log")

    now = 0.0
    stream = ReplyStream(None, full_disk, clock=lambda: now)
    stopped = []
    for _ in range(3):
        stopped.append(stream.on_chunk({"choices": [{"delta": {"content": "x"}}]}))
        now += 6.0
    assert stopped == [False, True, True]
    with pytest.raises(StudyError):
        stream.reply("local:x", 1.0)
