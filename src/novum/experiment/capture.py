"""Run a plot script and write down what it plots, figure by figure, in plotted.json.

    python capture.py plot.py

This file is copied into the sandbox and stands alone: it imports nothing of novum.
"""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

MOST_POINTS = 20_000
"""Points of one series that are written down."""


def _numbers(values: Iterable[Any]) -> list[float]:
    found = []
    for value in list(values)[:MOST_POINTS]:
        try:
            found.append(float(value))
        except (TypeError, ValueError):
            return []
    return found


def _series(axes: Any) -> Iterator[tuple[str, Any, Iterable[Any], Iterable[Any]]]:
    """What one pair of axes shows: lines, points and bars, each with its label."""
    for line in axes.get_lines():
        yield "line", line.get_label(), line.get_xdata(), line.get_ydata()
    for collection in axes.collections:
        points = collection.get_offsets()
        if hasattr(collection, "get_sizes") and len(points):
            yield "points", collection.get_label(), [p[0] for p in points], [p[1] for p in points]
    for bars in axes.containers:
        heights = getattr(bars, "datavalues", None)
        if heights is not None:
            yield "bars", bars.get_label(), range(len(heights)), heights


def _described(figure: Any) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "label": str(label), "x": _numbers(x), "y": _numbers(y)}
        for axes in figure.axes
        for kind, label, x, y in _series(axes)
    ]


def _words(figure: Any) -> list[str]:
    """Titles and labels of axes, for whoever describes the figure."""
    words = []
    for axes in figure.axes:
        words += [axes.get_title(), axes.get_xlabel(), axes.get_ylabel()]
    return [str(word) for word in words if word]


def _watch(plotted: dict[str, Any]) -> None:
    """Note in `plotted` whatever matplotlib saves; a script that draws with something else is not seen through."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    save = Figure.savefig

    def savefig(self: Figure, fname: Any, *args: Any, **kwargs: Any) -> None:
        plotted[Path(str(fname)).stem] = {"series": _described(self), "words": _words(self)}
        save(self, fname, *args, **kwargs)

    Figure.savefig = savefig  # type: ignore[method-assign]


def main() -> None:
    """Run the script that the command line names."""
    script = sys.argv[1]
    plotted: dict[str, Any] = {}
    _watch(plotted)
    sys.argv = [script]
    try:
        runpy.run_path(script, run_name="__main__")
    finally:
        Path("plotted.json").write_text(json.dumps(plotted))


if __name__ == "__main__":
    main()
