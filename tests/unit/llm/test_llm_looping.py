"""A loop is found; text that only looks alike is not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from novum.llm.looping import loop_start

PROSE = " ".join(f"Sentence {n} says something that no other sentence says, at length." for n in range(60))
TABLE = "\n".join(f"| run_{n} | {n * 37 % 101 / 100:.2f} | {n * 61 % 97} |" for n in range(60))


@given(st.text(min_size=1, max_size=200), st.integers(0, 100))
def test_a_repeated_unit_is_found_and_said_once(unit: str, before: int) -> None:
    head = PROSE[: before * 5]
    text = head + unit * (3 + 1200 // len(unit))
    start = loop_start(text)
    assert start is not None
    assert start <= len(head) + 2 * len(unit)
    assert text[start:]


def test_a_repeated_paragraph_is_found() -> None:
    start = loop_start(PROSE[:700] + "\n\n" + (PROSE[1000:1500] + "\n\n") * 4)
    assert start is not None and 1100 <= start <= 1300


def test_ordinary_text_is_not_a_loop() -> None:
    for text in (PROSE, TABLE, PROSE[:350] * 2, "", "=" * 200, "x" * 399):
        assert loop_start(text) is None
