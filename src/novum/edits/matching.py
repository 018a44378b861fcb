"""Find the lines that a model quotes, which seldom are quite those of the file.

Four ways, in strict order; the first that finds a place decides, and a place must be the only one:
exact; apart from space at line ends; apart from one indentation that all lines gained or lost; similar.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from novum.errors import EditError

How = Literal["exact", "trailing space", "indentation", "similar"]
THRESHOLD = 0.9
"""Least similarity (0 to 1, share of characters in common) of a similar match."""
MARGIN = 0.05
"""A second place this near in similarity makes a similar match ambiguous."""
_MOST_COMPARED = 4_000_000
"""Most characters (window times number of windows) that a search for similar lines compares."""


class Match(NamedTuple):
    """Where the quoted lines are: `lines[start:end]`, found `how`, and the new lines fitted to the place."""

    start: int
    end: int
    how: How
    similarity: float
    replacement: list[str]


def find(
    lines: Sequence[str], search: Sequence[str], replace: Sequence[str], near: int | None = None
) -> Match:
    """The one place of `search` in `lines` (all without line ends), with `replace` fitted to its indentation.

    `near` is the line, from 0, at which it is said to be; it decides between several places that match alike.

    Raises:
        EditError: there is no such place, or more than one.
    """
    for how, same in _WAYS:
        places = [i for i in range(len(lines) - len(search) + 1) if same(lines[i : i + len(search)], search)]
        if len(places) > 1 and near in places:
            places = [near] if near is not None else places
        if len(places) > 1:
            raise _ambiguous(lines, search, places)
        if places:
            start = places[0]
            found = lines[start : start + len(search)]
            fitted = _shifted(replace, search, found) if how == "indentation" else list(replace)
            return Match(start, start + len(search), how, 1.0, fitted)
    return _similar(lines, search, replace)


# -- the ways ----------------------------------------------------------------------------------------------


def _exactly(found: Sequence[str], search: Sequence[str]) -> bool:
    return all(a == b for a, b in zip(found, search, strict=True))


def _but_trailing(found: Sequence[str], search: Sequence[str]) -> bool:
    return all(a.rstrip() == b.rstrip() for a, b in zip(found, search, strict=True))


def _but_indentation(found: Sequence[str], search: Sequence[str]) -> bool:
    return _shift(found, search) is not None


_WAYS: tuple[tuple[How, Callable[[Sequence[str], Sequence[str]], bool]], ...] = (
    ("exact", _exactly),
    ("trailing space", _but_trailing),
    ("indentation", _but_indentation),
)


def _shift(found: Sequence[str], search: Sequence[str]) -> tuple[str, str] | None:
    """The prefix that every line of `found` has in place of the one that every line of `search` has."""
    shift: tuple[str, str] | None = None
    for line, wanted in zip(found, search, strict=True):
        if line.strip() != wanted.strip():
            return None
        if not line.strip():
            continue
        ours, theirs = _indent(line), _indent(wanted)
        common = 0
        while common < min(len(ours), len(theirs)) and ours[-1 - common] == theirs[-1 - common]:
            common += 1
        here = (ours[: len(ours) - common], theirs[: len(theirs) - common])
        if shift is None:
            shift = here
        elif shift != here:
            return None
    return shift


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _shifted(replace: Sequence[str], search: Sequence[str], found: Sequence[str]) -> list[str]:
    ours, theirs = _shift(found, search) or ("", "")
    return [ours + line.removeprefix(theirs) if line.strip() else line for line in replace]


def _similar(lines: Sequence[str], search: Sequence[str], replace: Sequence[str]) -> Match:
    from rapidfuzz import fuzz

    quoted = "\n".join(search)
    size = len(search)
    if not quoted.strip() or len(quoted) * len(lines) > _MOST_COMPARED:
        raise _unmatched(lines, search, None)
    scores = {}
    for start in range(max(1, len(lines) - size + 1)):
        window = "\n".join(lines[start : start + size])
        score = fuzz.ratio(window, quoted, score_cutoff=100 * (THRESHOLD - MARGIN)) / 100
        if score:
            scores[start] = score
    best = max(scores, key=scores.__getitem__, default=None)
    if best is None or scores[best] < THRESHOLD:
        raise _unmatched(lines, search, best)
    rivals = [s for s in scores if abs(s - best) >= size and scores[s] > scores[best] - MARGIN]
    if rivals:
        raise _ambiguous(lines, search, sorted([best, *rivals]))
    found = lines[best : best + size]
    return Match(best, best + len(found), "similar", scores[best], list(replace))


# -- errors ------------------------------------------------------------------------------------------------


def _ambiguous(lines: Sequence[str], search: Sequence[str], places: Sequence[int]) -> EditError:
    shown = ", ".join(str(p + 1) for p in places[:8])
    return EditError(
        f"the lines to find occur {len(places)} times (at lines {shown})",
        f"they begin with {search[0]!r}" if search else "they are empty",
        "quote more lines around them, so that the place is the only one",
    )


def _unmatched(lines: Sequence[str], search: Sequence[str], best: int | None) -> EditError:
    start = best if best is not None else nearest(lines, search)
    near = "\n".join(
        f"{n + 1:5d}  {lines[n]}" for n in range(start, min(len(lines), start + len(search), start + 20))
    )
    first = next((line for line in search if line.strip()), "")
    return EditError(
        f"the lines to find, which begin with {first.strip()[:120]!r}, are not in the file",
        f"the nearest lines of the file are:\n{near[:4000]}" if near else "the file is empty",
        "quote the lines exactly as they are in the file",
    )


def nearest(lines: Sequence[str], search: Sequence[str]) -> int:
    """Where the file shares most lines with `search`, or a line most like its first."""
    from rapidfuzz import process

    wanted = {line.strip() for line in search if line.strip()}
    hits = [line.strip() in wanted for line in lines]
    size, best, count = len(search), 0, sum(hits[: len(search)])
    top = count
    for start in range(1, max(1, len(lines) - size + 1)):
        count += hits[min(start + size - 1, len(hits) - 1)] - hits[start - 1]
        if count > top:
            best, top = start, count
    first = next((line.strip() for line in search if line.strip()), "")
    if top or not first or len(lines) * len(first) > _MOST_COMPARED:
        return best
    found = process.extractOne(first[:400], [line.strip()[:400] for line in lines])
    return int(found[2]) if found else best
