"""Fair comparison: what each run used beside its result, and where a winner used more of it."""

from __future__ import annotations

from novum.records import Run

MOST = 0.10
"""Excess of a resource (as a share of the other run's) above which a comparison says so."""


_TOLD_APART = {"parameters": 0.0, "wall time": 1.0, "peak memory": 32.0 * 2**20}
"""Differences (s, bytes) up to which two measurements of the same program may come apart by chance."""


def resources(run: Run) -> dict[str, float | None]:
    """Parameters, wall time (s) and peak memory (bytes) of a run; None for what was not measured.

    An evaluator that counts no parameters says that there are none to be controlled; where a run reports its
    metrics itself, nobody has counted.
    """
    used: dict[str, float | None] = {
        "wall time": run.outcome.wall_s or None,
        "peak memory": float(run.outcome.peak_memory_bytes) or None,
    }
    if run.parameters is not None or run.self_reported:
        used = {"parameters": run.parameters, **used}
    return used


def more_than(a: Run, b: Run) -> dict[str, float]:
    """Resources of which `a` used over 10% more than `b`: name to the excess as a share of `b`'s."""
    ours, theirs = resources(a), resources(b)
    excess = {}
    for name, used in ours.items():
        base = theirs.get(name)
        if used is None or not base or used - base <= _TOLD_APART[name]:
            continue
        if used > (1.0 + MOST) * base:
            excess[name] = round(used / base - 1.0, 4)
    return excess


def not_controlled(a: Run, b: Run) -> tuple[str, ...]:
    """Resources that were not measured in both runs."""
    ours, theirs = resources(a), resources(b)
    names = dict.fromkeys((*ours, *theirs))
    return tuple(n for n in names if ours.get(n) is None or theirs.get(n) is None)


def said_of(more: dict[str, float]) -> str:
    """`26% more parameters and 14% more wall time`, for prompts and notes; "" for nothing."""
    return " and ".join(f"{share:.0%} more {name}" for name, share in more.items())
