"""SEARCH/REPLACE blocks in a reply.

experiment.py
```python
<<<<<<< SEARCH
old lines
=======
new lines
>>>>>>> REPLACE
```
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from novum.edits.changes import SearchReplace, lines_of
from novum.errors import EditError

_HEAD = re.compile(r"<{5,9} ?SEARCH>?\s*$")
_DIVIDER = re.compile(r"={5,9}\s*$")
_TAIL = re.compile(r">{5,9} ?REPLACE\s*$")
_FENCES = ("```", "~~~", "<source>", "<code>", "<pre>")
_NAME_WITHIN = 3
"""Lines before a block among which the file's name may stand."""


def has_blocks(reply: str) -> bool:
    """Whether the reply has the head of a block."""
    return any(_HEAD.match(line.strip()) for line in reply.split("\n") if "SEARCH" in line)


def parse_blocks(reply: str) -> list[SearchReplace]:
    """The SEARCH/REPLACE blocks of a reply, in order.

    A block without a file name belongs to the file of the block before it.

    Raises:
        EditError: a block is not finished.
    """
    lines = lines_of(reply)
    blocks: list[SearchReplace] = []
    file, at = "", 0
    while at < len(lines):
        if not _HEAD.match(lines[at].strip()):
            at += 1
            continue
        file = _name_before(lines, at) or file
        divider = _find(lines, at + 1, (_DIVIDER,), "=======", at)
        # Models close a block with another `=======` now and then.
        tail = _find(lines, divider + 1, (_TAIL, _DIVIDER), ">>>>>>> REPLACE", at)
        blocks.append(
            SearchReplace(file, "".join(lines[at + 1 : divider]), "".join(lines[divider + 1 : tail]))
        )
        at = tail + 1
    return blocks


def _find(lines: Sequence[str], start: int, marks: Sequence[re.Pattern[str]], wanted: str, head: int) -> int:
    for number in range(start, len(lines)):
        text = lines[number].strip()
        if any(mark.match(text) for mark in marks):
            return number
        if _HEAD.match(text):
            break
    shown = "".join(lines[head : head + 6])
    raise EditError(
        f"the SEARCH/REPLACE block at line {head + 1} of the reply has no line `{wanted}`",
        f"it begins:\n{shown}",
        "end the part to find with `=======` and the block with `>>>>>>> REPLACE`, each alone on a line",
    )


def _name_before(lines: Sequence[str], head: int) -> str:
    """The file named just above a block, with only lines of a fence between; "" when there is none."""
    named: list[str] = []
    for line in reversed(lines[max(0, head - _NAME_WITHIN) : head]):
        name = name_in(line)
        if name:
            named.append(name)
        if not line.strip().startswith(_FENCES):
            break
    return next((name for name in named if "." in name), named[0] if named else "")


def name_in(line: str) -> str:
    """The file name that a line consists of, without markup; "" for a bare fence."""
    text = line.strip()
    if text == "...":
        return ""
    for fence in _FENCES:
        if text.startswith(fence):
            rest = text[len(fence) :]
            return rest if "." in rest or "/" in rest else ""
    return text.rstrip(":").lstrip("#").strip().strip("`").strip("*")
