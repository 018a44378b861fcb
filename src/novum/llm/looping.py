"""Does a text end in a loop? Small models fall into one, and without this run on to their limit."""

from __future__ import annotations

_PROBE_CHARS = 48
_WINDOW_CHARS = 2400
_MIN_CHARS = 400
_REPEATS = 3


def loop_start(text: str) -> int | None:
    """Where the end of `text` begins to repeat itself, or None.

    A loop is one unit, up to 800 characters, said at least three times over at least 400 characters. The
    index is that of the first repetition, so `text[:index]` says everything once.
    """
    tail = text[-_WINDOW_CHARS:]
    if len(tail) < _MIN_CHARS:
        return None
    probe = tail[-_PROBE_CHARS:]
    earlier = tail.rfind(probe, 0, len(tail) - 1)
    if earlier < 0:
        return None
    period = len(tail) - _PROBE_CHARS - earlier
    span = max(_REPEATS * period, _MIN_CHARS)
    if span > len(tail):
        return None
    looping = tail[-span:]
    if looping[period:] != looping[:-period]:
        return None
    start = len(text) - span
    while start > 0 and text[start - 1] == text[start - 1 + period]:
        start -= 1
    return start + period
