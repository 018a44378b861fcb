"""How the end of a run is named, from what it said and what was measured."""

from __future__ import annotations

import os

import pytest
from sandboxes import LIMITS

from novum.sandbox.ending import Ending, Output, name_by_complaint
from novum.sandbox.watch import Broken, Usage


def test_output_that_speaks_of_a_limit_is_noticed_across_two_reads_and_not_for_ever() -> None:
    output = Output(1 << 20, None)
    reading, writing = os.pipe()

    def say(text: bytes) -> bool:
        os.write(writing, text)
        output.read("stderr", reading)
        return output.complains()

    said = [
        say(text) for text in (b"all is well\n", b"OSError: No space ", b"left on device\n", b"." * 99, b".")
    ]
    os.close(reading)
    os.close(writing)
    assert (said[:3], said[-1]) == ([False, False, True], False)


@pytest.mark.parametrize(
    ("stderr", "met", "disk_bytes", "ended"),
    [
        (b"No space left on device", Broken("disk", "full"), 0, "disk"),
        (b"No space left on device", Broken("tasks", "many"), 0, "exit"),
        (b"No space left on device", None, (64 << 20) - 1, "exit"),
        (b"No space left on device", None, 64 << 20, "disk"),
        (b"No space left on device" + b"." * 5000, Broken("disk", "full"), 0, "exit"),
        (b"File too large", None, 1 << 20, "disk"),
        (b"File too large", None, 1 << 19, "exit"),
        (b"nothing", Broken("disk", "full"), 1 << 30, "exit"),
    ],
)
def test_a_limit_is_named_by_words_and_measure_together(
    stderr: bytes, met: Broken | None, disk_bytes: int, ended: str
) -> None:
    for ending in (
        Ending("exit", 1, stderr=stderr, peak=Usage(disk_bytes=disk_bytes)),
        Ending("exit", 1, stderr=stderr, written_bytes=disk_bytes),
    ):
        name_by_complaint(ending, met, LIMITS.model_copy(update={"file_bytes": 1 << 20}))
        assert ending.ended == ended
        assert (ending.reason != "") is (ended != "exit")
