"""What a plot script plotted, held against what the runs recorded.

A plotted number is matched when some run left it in plain data (JSON, JSON lines, arrays without pickles), when
results.json has it, or when it is the mean, the smallest or the largest of a recorded series over its seeds. What
is not matched may be a fair transformation; it is reported, and a reader can judge.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from novum.edits.python import syntax_tree
from novum.errors import UsageError
from novum.experiment.arrays import read_arrays
from novum.experiment.metrics import finite
from novum.records import Results
from novum.sandbox.harvest import read_array, read_bytes, read_json
from novum.stats.intervals import mean_of

if TYPE_CHECKING:
    import numpy as np

_RELATIVE = 1e-6
_MOST_BYTES = 64 << 20
_MOST_IN_ARRAY = 50_000
"""Different numbers of an array up to which it says something: any number is near one of a million weights."""
_DRAWING = frozenset(
    {"plot", "scatter", "bar", "barh", "errorbar", "fill_between", "step", "axhline", "axvline"}
)
_WRITING = frozenset({"text", "annotate", "set_title", "title", "suptitle"})


class PlottedSeries(NamedTuple):
    """One line, set of points or set of bars of a figure."""

    kind: str
    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]


class Plotted(NamedTuple):
    """What one figure shows."""

    series: tuple[PlottedSeries, ...]
    words: tuple[str, ...]
    """Its titles and labels of axes."""


def read_plotted(path: Path) -> dict[str, Plotted]:
    """What the script plotted, by figure; nothing when the file is missing or not as it should be."""
    try:
        found = read_json(path)
        return {
            str(stem): Plotted(
                tuple(
                    PlottedSeries(str(s["kind"]), str(s["label"]), _floats(s["x"]), _floats(s["y"]))
                    for s in entry["series"]
                ),
                tuple(str(word)[:80] for word in entry["words"]),
            )
            for stem, entry in found.items()
        }
    except (UsageError, TypeError, KeyError, ValueError, AttributeError, OverflowError):
        return {}


def _floats(values: Iterable[Any]) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


# -- what is recorded ----------------------------------------------------------------------------------


def recorded_numbers(results: Results, folders: Iterable[Path]) -> np.ndarray[Any, Any]:
    """Every number that the runs in `folders` and `results` hold, with means and ranges over seeds; sorted."""
    import numpy as np

    found: list[float] = []
    for r in results.results:
        found += [r.mean, *r.values, *(v for v in (r.sd, r.stderr, r.low, r.high) if v is not None)]
    arrays = [np.array(found)]
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
            arrays += _numbers_of(path)
    return np.unique(np.concatenate(arrays)) if arrays else np.array([])


def _numbers_of(path: Path) -> Iterator[np.ndarray[Any, Any]]:
    import numpy as np

    try:
        if path.suffix == ".json":
            yield np.array(list(_within(read_json(path))), dtype=float)
        elif path.suffix == ".jsonl":
            rows = list(_rows(read_bytes(path, _MOST_BYTES)))
            yield np.array(list(_within(rows)), dtype=float)
            yield np.array(list(_over_seeds(rows)), dtype=float)
        elif path.suffix == ".npy":
            yield from _numbers_in(read_array(path))
        elif path.suffix == ".npz":
            for array in read_arrays(path, _MOST_BYTES):
                yield from _numbers_in(array)
    except (UsageError, RecursionError):
        return


def _rows(content: bytes) -> Iterator[Any]:
    """The lines that are JSON; the others say nothing."""
    for line in content.decode(errors="replace").splitlines():
        try:
            yield json.loads(line)
        except (ValueError, RecursionError):
            continue


def _numbers_in(array: np.ndarray[Any, Any]) -> Iterator[np.ndarray[Any, Any]]:
    import numpy as np

    if array.dtype.kind in "iuf":
        numbers = np.unique(array.astype(float))
        if len(numbers) <= _MOST_IN_ARRAY:
            yield numbers[np.isfinite(numbers)]


def _within(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for part in value.values():
            yield from _within(part)
    elif isinstance(value, list):
        for part in value:
            yield from _within(part)
    elif (number := finite(value)) is not None:
        yield number


def _over_seeds(rows: Iterable[Any]) -> Iterator[float]:
    """Mean, smallest and largest of each series at each step."""
    groups: dict[tuple[str, float], list[float]] = {}
    for row in (row for row in rows if isinstance(row, dict)):
        step, value = finite(row.get("step")), finite(row.get("value"))
        if step is not None and value is not None:
            groups.setdefault((str(row.get("name")), step), []).append(value)
    for values in groups.values():
        yield from (mean_of(values), min(values), max(values))


# -- what is not ---------------------------------------------------------------------------------------


def unmatched(stem: str, plotted: Plotted, known: np.ndarray[Any, Any]) -> list[str]:
    """The series of a figure that hold numbers which are in no record, each in a sentence."""
    said = []
    for number, series in enumerate(plotted.series, start=1):
        name = series.label if series.label and not series.label.startswith("_") else f"number {number}"
        shown = _shown(series)
        if missing := _count(shown, known):
            said.append(
                f"{stem}: {missing} of {len(shown)} values of the {series.kind} {name!r} are in no record"
            )
    return said


def _shown(series: PlottedSeries) -> tuple[float, ...]:
    """The numbers that a series shows."""
    if len(series.x) == len(series.y) == 2 and len(set(series.x)) == 1 and series.y == (0.0, 1.0):
        return series.x[:1]  # a vertical line across the axes
    if series.kind == "points":  # whole numbers across are places, as of runs or steps
        return (*series.y, *(x for x in series.x if not x.is_integer()))
    return series.y


def _count(values: Iterable[float], known: np.ndarray[Any, Any]) -> int:
    """How many of `values` are neither in `known` nor 0; values that are not finite show nothing."""
    import numpy as np

    wanted = np.array([v for v in values if math.isfinite(v) and v != 0.0])
    if not len(wanted):
        return 0
    if not len(known):
        return len(wanted)
    place = np.clip(np.searchsorted(known, wanted), 1, max(len(known) - 1, 1))
    near = np.minimum(
        np.abs(known[place - 1] - wanted), np.abs(known[np.minimum(place, len(known) - 1)] - wanted)
    )
    return int((near > _RELATIVE * np.abs(wanted)).sum())


def typed_constants(source: str, name: str) -> list[str]:
    """Numbers that are typed into calls that draw, and values that are typed into texts on a figure."""
    try:
        calls = [n for n in ast.walk(syntax_tree(source)) if isinstance(n, ast.Call)]
    except SyntaxError:
        return []
    said = []
    for call in calls:
        what = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if what in _DRAWING and any(_is_typed(a) for a in call.args):
            said.append(f"{name}:{call.lineno} types numbers into {what}")
        elif what in _WRITING and any(_has_value(a) for a in call.args):
            said.append(f"{name}:{call.lineno} types a value into {what}")
    return said


def _is_typed(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    if isinstance(node, ast.List | ast.Tuple):
        return bool(node.elts) and all(_is_typed(e) for e in node.elts)
    number = isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    return number and getattr(node, "value", 0) not in (0, 1)


def _has_value(node: ast.expr) -> bool:
    """A text with a decimal or a percentage in it."""
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return any(a.isdigit() and b in ".%" for a, b in pairwise(text))
