"""What a model may ask for: the kinds of change, as data."""

from __future__ import annotations

from typing import NamedTuple

MAX_REPLY_CHARACTERS = 8 << 20
"""A longer reply is refused unread."""


class SearchReplace(NamedTuple):
    """Replace the lines `search`, which must occur once, by `replace`. Both end with a newline, or are empty.

    An empty `search` makes a new file. `file` is "" when the reply named none. `line` is where a unified diff
    says that the lines begin (from 1), which decides between several places, or None.
    """

    file: str
    search: str
    replace: str
    line: int | None = None


class WholeFile(NamedTuple):
    """Give a file new content."""

    file: str
    content: str


class LineRange(NamedTuple):
    """Replace the lines `first` to `last` (from 1, inclusive, of the file as it was); `last` < `first` inserts."""

    file: str
    first: int
    last: int
    content: str


Change = SearchReplace | WholeFile | LineRange


def lines_of(text: str) -> list[str]:
    """The lines with their ends; only a newline ends a line, not a form feed or a Unicode separator."""
    lines = text.split("\n")
    ended = [line + "\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended
