"""What a LaTeX log says went wrong, and at which line."""

from __future__ import annotations

import re
from typing import NamedTuple

_FILE_LINE = re.compile(r"^(?:\./)?([^\s:]+\.(?:tex|sty|cls)):(\d+): (.+)$")
_BANG = re.compile(r"^! (.+)$")
_AT_LINE = re.compile(r"^l\.(\d+) ?(.*)$")
_MISSING = re.compile(
    r"(?:File|file) [`'‘]?([^`'’\s]+\.(?:sty|cls|tfm|def|clo|bst))['’]? not found|Font [^\n]*? ?= "
    r"?(\w+)[^\n]*not loadable"
)
_UNDEFINED = re.compile(r"(?:Citation|Reference) [`'‘]([^'’]+)['’] on page \S+ undefined")
_LOOK_AHEAD = 12


class LatexProblem(NamedTuple):
    """One error. `line` is in `file`, 0 when the log does not say; `near` is the text at which TeX stopped."""

    message: str
    file: str
    line: int
    near: str = ""

    @property
    def text(self) -> str:
        return f"{self.message} (near: {self.near})" if self.near else self.message


def problems_in(log: str) -> list[LatexProblem]:
    """The errors of a log, in order, one for each line of the source."""
    lines = log.splitlines()
    found = (_error_at(lines, number, line) for number, line in enumerate(lines))
    # TeX may stop many times on one line: the first message tells most.
    first: dict[tuple[str, int], LatexProblem] = {}
    for problem in found:
        if problem:
            first.setdefault((problem.file, problem.line), problem)
    return list(first.values())


def _error_at(lines: list[str], number: int, line: str) -> LatexProblem | None:
    if match := _FILE_LINE.match(line):
        if match[3].startswith(("LaTeX Warning", "Package")) and "Error" not in match[3]:
            return None
        _, near = _position(lines, number)
        return LatexProblem(match[3].strip(), match[1], int(match[2]), near)
    if match := _BANG.match(line):
        at, near = _position(lines, number)
        return LatexProblem(match[1].strip(), "", at, near)
    return None


def _position(lines: list[str], number: int) -> tuple[int, str]:
    for line in lines[number + 1 : number + 1 + _LOOK_AHEAD]:
        if match := _AT_LINE.match(line):
            return int(match[1]), match[2].strip()[-120:]
    return 0, ""


def undefined_keys(log: str) -> tuple[str, ...]:
    """Citations and references that were still undefined."""
    return tuple(dict.fromkeys(_UNDEFINED.findall(log)))


def missing_files(log: str) -> tuple[str, ...]:
    """Packages, classes and fonts that the TeX tree lacks."""
    return tuple(dict.fromkeys(a or b for a, b in _MISSING.findall(log)))
