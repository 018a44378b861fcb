"""Limits of a template on machines of different sizes."""

from __future__ import annotations

import pytest

from novum.records import Limits

GIB = 1 << 30


@pytest.mark.parametrize(
    ("memory_gib", "wanted"), [(2, (1.0, 0.25)), (8, (4.0, 1.0)), (16, (8.0, 2.0)), (256, (8.0, 5.0))]
)
def test_what_is_not_stated_scales_with_the_machine(memory_gib: int, wanted: tuple[float, float]) -> None:
    limits = Limits(wall_s=9).fitted(memory_gib * GIB, 4)
    assert (limits.memory_bytes / GIB, limits.disk_bytes / GIB) == wanted
    assert (limits.tasks, limits.wall_s) == (256 + 64, 9)


def test_the_work_folder_fits_a_quarter_of_the_memory_with_room_for_inputs() -> None:
    for memory in (1 * GIB, 3 * GIB, 15 * GIB + 5):
        assert Limits().fitted(memory, 1).disk_bytes < memory / 4 or memory <= 1 * GIB


def test_what_is_stated_stays() -> None:
    stated = Limits(memory_bytes=3 * GIB, disk_bytes=GIB, tasks=20)
    assert stated.fitted(16 * GIB, 64) == stated


def test_a_limit_above_the_machine_is_lowered_and_the_record_says_so() -> None:
    limits = Limits(memory_bytes=16 * GIB).fitted(15 * GIB + 123, 2)
    assert (limits.memory_bytes, limits.stated_memory_bytes) == (15 * GIB * 3 // 4, 16 * GIB)
    assert limits.fitted(15 * GIB + 123, 2) == limits


def test_limits_are_the_same_after_an_update_of_the_kernel() -> None:
    # Else a study would not know its own runs again.
    assert Limits().fitted(16_700_000_000, 2) == Limits().fitted(16_690_000_000, 2)
