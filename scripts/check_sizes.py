"""Check that files and functions stay small: the one rule of the design that ruff does not have.

The 95th percentile of files is at most 300 lines and that of functions at most 40; no single one passes a hard
cap. A function's lines are those from its `def` to its end without its docstring, which is documentation.
"""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

FOLDERS = ("src", "scripts", "benchmarks", "tests")
PERCENTILE = 0.95


class Limit(NamedTuple):
    """The longest length that 95% of them may have, and that any one may have, in lines."""

    usual: int
    cap: int


LIMITS = {"file": Limit(300, 400), "function": Limit(40, 80)}


class Size(NamedTuple):
    """How long one file or function is, in lines."""

    kind: str
    place: str
    lines: int


def measure(path: Path) -> Iterator[Size]:
    """The size of a Python file and of each function in it, nested ones too."""
    text = path.read_text(encoding="utf-8")
    yield Size("file", str(path), len(text.splitlines()))
    for node in ast.walk(ast.parse(text, str(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Size("function", f"{path}:{node.lineno} {node.name}", _function_lines(node))


def _function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    docstring = 0
    if ast.get_docstring(node, clean=False) is not None:
        first = node.body[0]
        docstring = (first.end_lineno or first.lineno) - first.lineno + 1
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def percentile(lengths: Sequence[int], share: float = PERCENTILE) -> int:
    """The smallest length that at least `share` of `lengths` do not exceed."""
    ordered = sorted(lengths)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def problems(sizes: Sequence[Size]) -> list[str]:
    """What breaks a limit, one line each; empty when all is well."""
    found = []
    for kind, limit in LIMITS.items():
        own = [size for size in sizes if size.kind == kind]
        if not own:
            continue
        typical = percentile([size.lines for size in own])
        shown = limit.cap
        if typical > limit.usual:
            found.append(
                f"{kind}s: the 95th percentile is {typical} lines, more than {limit.usual}; the long ones:"
            )
            shown = limit.usual
        long = sorted((s for s in own if s.lines > shown), key=lambda s: -s.lines)
        found += [f"{s.place}: {s.lines} lines (usual {limit.usual}, cap {limit.cap})" for s in long]
    return found


def main(folders: Sequence[str]) -> int:
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    sizes = [size for path in files for size in measure(path)]
    found = problems(sizes)
    for line in found:
        print(line)
    for kind in LIMITS:
        lengths = [size.lines for size in sizes if size.kind == kind]
        if lengths:
            print(
                f"{len(lengths)} {kind}s: 95th percentile {percentile(lengths)} lines, longest {max(lengths)}"
            )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or FOLDERS))
