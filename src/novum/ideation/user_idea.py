"""Read the user's own idea (`--idea FILE`), as JSON or as Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from novum.errors import UsageError
from novum.ideation.wording import identifier
from novum.records import Idea

_FORM = (
    'write JSON with "title", "hypothesis" and "plan", or Markdown: a line `# Title`, then the parts '
    "`## Hypothesis` and `## Plan`"
)
_OTHER_NAMES = {"experiment": "plan", "short hypothesis": "hypothesis"}
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
_MOST_BYTES = 200_000


def user_idea(path: Path) -> Idea:
    """The idea in `path`. Markdown without headings for its parts: the first paragraph is the hypothesis.

    Raises:
        UsageError: the file is missing, too long, not text, or lacks a part.
    """
    parts = (
        _json_parts(path, text)
        if (text := _text(path)).lstrip().startswith(("{", "["))
        else _markdown_parts(text)
    )
    missing = [name for name in ("title", "hypothesis", "plan") if not parts.get(name)]
    if missing:
        raise UsageError(f"the idea in {path} has no {' and no '.join(missing)}", "", _FORM)
    name = identifier(parts.get("name") or parts["title"], ())
    return Idea(
        name=name, title=parts["title"], hypothesis=parts["hypothesis"], plan=parts["plan"], source="user"
    )


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read the idea file {path}", error.strerror or str(error), _FORM) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the idea file {path} is not UTF-8 text", str(error), _FORM) from error
    if len(raw) > _MOST_BYTES:
        raise UsageError(
            f"the idea file {path} has {len(raw)} bytes", f"at most {_MOST_BYTES} are read", _FORM
        )
    if not text.strip():
        raise UsageError(f"the idea file {path} is empty", "", _FORM)
    return text


def _json_parts(path: Path, text: str) -> dict[str, str]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"the idea file {path} is not valid JSON", str(error), _FORM) from error
    if not isinstance(value, dict):
        raise UsageError(f"the idea file {path} holds a JSON list", "one idea is needed", _FORM)
    return _named(value)


def _named(value: Mapping[str, Any]) -> dict[str, str]:
    """The parts under our names, whatever their case (`Experiment` is the plan in older idea files)."""
    lower = {key.lower().replace("_", " "): v for key, v in value.items()}
    renamed = {_OTHER_NAMES.get(key, key): v for key, v in lower.items()}
    return {key: _flat(v) for key, v in renamed.items() if isinstance(v, str | list)}


def _flat(value: str | list[Any]) -> str:
    return value.strip() if isinstance(value, str) else " ".join(str(item).strip() for item in value)


def _markdown_parts(text: str) -> dict[str, str]:
    sections: dict[str, list[str]] = {"": []}
    title, current = "", ""
    for line in text.splitlines():
        heading = _HEADING.match(line)
        if heading and not title:
            title = heading[2]
        elif heading:
            current = heading[2].lower().rstrip(":")
            sections.setdefault(current, [])
        else:
            sections[current].append(line)
    parts = _named({name: "\n".join(lines) for name, lines in sections.items()})
    paragraphs = [" ".join(p.split()) for p in re.split(r"\n\s*\n", parts.pop("", "")) if p.strip()]
    if not title and paragraphs:
        title = paragraphs.pop(0)
    if "hypothesis" not in parts and paragraphs:
        parts["hypothesis"] = paragraphs.pop(0)
    if "plan" not in parts and paragraphs:
        parts["plan"] = "\n\n".join(paragraphs)
    return {**parts, "title": title}
