r"""Fair comparison in the paper: what each run used beside its result, and what a winner used more of.

The values are facts, so that tables and sentences name them by key: `\config{run_1/used/wall_time}` (s),
`\config{run_1/more/wall_time}` (the excess over the baseline).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from novum.paper.numbers import Fact, number, percent
from novum.paper.text import sentence_list
from novum.records import Comparison, Results, Run

MARGIN = 0.10
"""Excess of a resource above which the harness says so."""


class _Resource(NamedTuple):
    name: str
    heading: str


_RESOURCES = (
    _Resource("parameters", "Parameters"),
    _Resource("wall time", "Wall time (s)"),
    _Resource("peak memory", "Peak memory (MiB)"),
)


def cost_facts(results: Results) -> Iterator[Fact]:
    """What each valid run used, and the excess over the baseline where a comparison names one."""
    for run in results.runs:
        for name, text in _used(run).items():
            yield Fact(_key(run.name, "used", name), text, run.name)
    excess = {
        _key(_run_of(made), "more", name): share
        for made in results.comparisons
        for name, share in made.more.items()
    }
    for key, share in excess.items():
        yield Fact(key, percent(share), "results.json")
    yield Fact("study/cost_margin", percent(MARGIN), "novum")


def with_cost(tex: str, made: Comparison) -> str:
    """A sentence about a win, which says what the run used more of and what nobody could measure."""
    if made.verdict != "better":
        return tex
    parts = []
    if made.more:
        used = [rf"\config{{{_key(_run_of(made), 'more', name)}}} more {name}" for name in made.more]
        parts.append(f"it took {sentence_list(used)} than the baseline")
    if made.not_controlled:
        were = "were" if len(made.not_controlled) > 1 or made.not_controlled[0].endswith("s") else "was"
        parts.append(f"the {sentence_list(made.not_controlled)} {were} not controlled")
    return f"{tex.removesuffix('.')}; {sentence_list(parts)}." if parts else tex


def costly_winners(results: Results) -> list[str]:
    """Names of the runs that are better in some metric and used over 10% more of something."""
    return list(dict.fromkeys(_run_of(c) for c in results.comparisons if c.verdict == "better" and c.more))


def cost_rows(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows (without the run's name) of the table of costs; a resource that no run has is left out."""
    used = [_used(run) for run in runs]
    shown = [r for r in _RESOURCES if any(r.name in row for row in used) or _unknown(r.name, runs)]
    rows = [
        [
            rf"\config{{{_key(run.name, 'used', r.name)}}}" if r.name in row else "not controlled"
            for r in shown
        ]
        for run, row in zip(runs, used, strict=True)
    ]
    return [r.heading for r in shown], rows


def _unknown(name: str, runs: Sequence[Run]) -> bool:
    """Whether nobody counted what there may be: an evaluator that counts no parameters says that there are none."""
    return name != "parameters" or any(run.self_reported for run in runs)


def _used(run: Run) -> dict[str, str]:
    outcome = run.outcome
    if run.status != "ok":
        return {}
    used = {
        "parameters": None if run.parameters is None else number(run.parameters, 0),
        "wall time": number(outcome.wall_s, 1) if outcome.wall_s else None,
        "peak memory": number(outcome.peak_memory_bytes / 2**20, 0) if outcome.peak_memory_bytes else None,
    }
    return {name: text for name, text in used.items() if text is not None}


def _key(run: str, what: str, resource: str) -> str:
    return f"{run}/{what}/{resource.replace(' ', '_')}"


def _run_of(made: Comparison) -> str:
    return made.a.split("/", 1)[0]
