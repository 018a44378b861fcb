"""From a model's reply to changes: blocks, unified diffs, line ranges as JSON, or whole files."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from novum.edits.blocks import has_blocks, name_in, parse_blocks
from novum.edits.changes import MAX_REPLY_CHARACTERS, Change, LineRange, WholeFile
from novum.edits.diffs import has_diff, parse_diff
from novum.errors import EditError

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([^\n`]*)\n(.*?)^[ \t]*\1[ \t]*\r?$", re.S | re.M)


def parse_reply(reply: str) -> list[Change]:
    """The changes that a reply asks for, in the first of the forms that it has.

    Raises:
        EditError: it is too long, has none of the forms, or one that is broken.
    """
    if len(reply) > MAX_REPLY_CHARACTERS:
        raise EditError(
            f"the reply is longer than {MAX_REPLY_CHARACTERS >> 20} Mi characters",
            "it was not read",
            "change less at once",
        )
    try:
        reply.encode()
    except UnicodeEncodeError as error:
        raise EditError("the reply is not Unicode text", str(error)[:200], "write plain text") from None
    changes: Sequence[Change]
    if has_blocks(reply):
        changes = parse_blocks(reply)
    elif has_diff(reply):
        changes = parse_diff(reply)
    else:
        changes = _line_ranges(reply) or _whole_files(reply)
    if not changes:
        raise EditError(
            "the reply holds no change",
            "it has no SEARCH/REPLACE block, no unified diff, no JSON of line ranges and no fenced file",
            "reply with SEARCH/REPLACE blocks, each below the name of its file",
        )
    return list(changes)


def _line_ranges(reply: str) -> list[LineRange]:
    """Edits as `{"edits": [{"file": ..., "first": 3, "last": 5, "content": "..."}]}`, bare or fenced."""
    text = reply.strip()
    fenced = _FENCE.search(reply)
    if fenced and fenced.group(2).strip().lower() in {"json", ""}:
        text = fenced.group(3).strip()
    if not text.startswith(("{", "[")):
        return []
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    entries = value.get("edits") if isinstance(value, dict) else value
    if not isinstance(entries, list) or not entries:
        return []
    return [_line_range(entry, number) for number, entry in enumerate(entries, start=1)]


def _line_range(entry: Any, number: int) -> LineRange:
    match entry:
        case {"first": int(first), "last": int(last), "content": str(content)} if 1 <= first <= last + 1:
            file = entry.get("file", "")
            if isinstance(file, str):
                ended = content if not content or content.endswith("\n") else content + "\n"
                return LineRange(file, first, last, ended)
    raise EditError(
        f"edit {number} of the JSON is not a range of lines",
        'it needs "first" and "last" (whole numbers from 1; last = first - 1 inserts) and "content" (text)',
        "give file, first, last and content for each edit",
    )


def _whole_files(reply: str) -> list[WholeFile]:
    """Fenced blocks, each with its file's name on the line above, or one fenced block without a name."""
    files = []
    fences = list(_FENCE.finditer(reply))
    for fence in fences:
        before = reply[: fence.start()].rstrip("\n").rpartition("\n")[2]
        name = name_in(fence.group(2)) if "." in fence.group(2) else name_in(before)
        if not _is_file_name(name):
            name = ""
        if name or len(fences) == 1:
            files.append(WholeFile(name, fence.group(3)))
    return files


def _is_file_name(text: str) -> bool:
    return bool(re.fullmatch(r"[\w./\\-]+\.\w+", text))
