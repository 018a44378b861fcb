"""The watchdog over a slow embedded model, without one."""

from __future__ import annotations

import pytest

from novum.llm.local import _Stream


@pytest.mark.parametrize(
    ("seconds_per_token", "warnings"), [([0.04] * 400, 0), ([0.5] * 60, 1), ([0.04] * 400 + [2.0] * 10, 1)]
)
def test_a_slow_model_warns_once_and_names_the_load(seconds_per_token: list[float], warnings: int) -> None:
    now = 0.0
    told: list[str] = []
    stream = _Stream(None, told.append, clock=lambda: now)
    for number, seconds in enumerate(seconds_per_token):
        now += seconds
        stream.on_chunk({"choices": [{"delta": {"content": f"w{number} "}}]})
    assert len(told) == warnings
    assert all("load is" in text for text in told)
