"""Unified diffs in a reply. Their line numbers are hints; what decides are the lines themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from novum.edits.changes import Change, SearchReplace, WholeFile, lines_of
from novum.errors import EditError

_HUNK = re.compile(r"@@(?: -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@| .*@@|\s*$)")
_NOWHERE = "/dev/null"


def has_diff(reply: str) -> bool:
    """Whether the reply has the head of a unified diff."""
    lines = reply.split("\n")
    return any(
        line.startswith("--- ") and following.startswith("+++ ") for line, following in pairwise(lines)
    )


def parse_diff(reply: str) -> list[Change]:
    """The changes of the unified diffs in a reply, in order.

    Raises:
        EditError: a diff has no hunk, or deletes a file.
    """
    lines = lines_of(reply)
    changes: list[Change] = []
    at = 0
    while at + 1 < len(lines):
        if not (lines[at].startswith("--- ") and lines[at + 1].startswith("+++ ")):
            at += 1
            continue
        old, new = _path(lines[at]), _path(lines[at + 1])
        if new == _NOWHERE:
            raise EditError(
                f"the diff deletes {old}", "a change cannot delete a file", "empty it, or leave it"
            )
        found, at = _hunks(lines, at + 2, new, created=old == _NOWHERE)
        if not found:
            raise EditError(f"the diff of {new} has no hunk", "no line begins with @@", "give its hunks")
        changes.extend(found)
    return changes


def _path(line: str) -> str:
    name = line[4:].split("\t")[0].strip()
    return name[2:] if name.startswith(("a/", "b/")) else name


def _hunks(lines: Sequence[str], at: int, file: str, *, created: bool) -> tuple[list[Change], int]:
    changes: list[Change] = []
    while (start := _next_hunk(lines, at)) is not None:
        head, at = start
        old: list[str] = []
        new: list[str] = []
        while at < len(lines) and _is_body(lines, at):
            mark, text = lines[at][:1], lines[at][1:]
            if mark != "\\":
                # An empty line stands for an empty line of context, whose space editors like to strip.
                text = text if mark in " -+" else lines[at]
                old += [text] if mark != "+" else []
                new += [text] if mark != "-" else []
            at += 1
        if created:
            changes.append(WholeFile(file, "".join(new)))
        elif old != new:
            line = int(head.group(1)) if head.group(1) else None
            changes.append(SearchReplace(file, "".join(old), "".join(new), line))
    return changes, at


def _next_hunk(lines: Sequence[str], at: int) -> tuple[re.Match[str], int] | None:
    """The head of a hunk at `at`, empty lines apart, and the line after it."""
    while at < len(lines) and not lines[at].strip():
        at += 1
    head = _HUNK.match(lines[at].rstrip("\r\n")) if at < len(lines) else None
    return (head, at + 1) if head else None


def _is_body(lines: Sequence[str], at: int) -> bool:
    line = lines[at]
    if line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ "):
        return False
    if not line.strip("\r\n"):
        following = lines[at + 1][:1] if at + 1 < len(lines) else ""
        return following in {" ", "-", "+"}
    return line[0] in " -+\\"
