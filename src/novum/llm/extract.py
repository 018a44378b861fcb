"""Find the JSON in what a model wrote: fences, prose around, trailing commas and raw line breaks survive."""

from __future__ import annotations

import json
import re
from typing import Any

_MAX_STARTS = 64
_STRING_OR_TRAILING_COMMA = re.compile(r'"(?:\\.|[^"\\])*"|,(?=\s*[}\]])', re.DOTALL)


def json_values(text: str) -> list[Any]:
    """Every JSON object or array in `text` that is not part of another, the longest first.

    A fence inside a string does no harm, for the scan reads JSON, not Markdown. NaN and infinities are not JSON.
    """
    for candidate in (text, _without_trailing_commas(text)):
        if found := _scan(candidate):
            return found
    return []


def repaired_value(text: str) -> Any | None:
    """The last resort: json-repair's guess at the first object or array, or None. Say so where it is used."""
    start = min((place for place in (text.find("{"), text.find("[")) if place >= 0), default=-1)
    if start < 0:
        return None
    import json_repair

    try:
        value = json_repair.loads(text[start:])
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) and value else None


def _scan(text: str) -> list[Any]:
    # strict=False lets line breaks stand in strings, which models write often.
    decoder = json.JSONDecoder(strict=False, parse_constant=_refuse)
    found: list[tuple[int, Any]] = []
    place = 0
    for _ in range(_MAX_STARTS):
        start = _next_start(text, place)
        if start < 0:
            break
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            place = start + 1
        else:
            found.append((end - start, value))
            place = end
    return [value for _, value in sorted(found, key=lambda entry: entry[0], reverse=True)]


def _next_start(text: str, place: int) -> int:
    match = re.compile(r"[{\[]").search(text, place)
    return match.start() if match else -1


def _without_trailing_commas(text: str) -> str:
    return _STRING_OR_TRAILING_COMMA.sub(lambda match: "" if match[0] == "," else match[0], text)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
