"""How alike two texts are, and how a model's sentences are made whole."""

from __future__ import annotations

import re
from collections.abc import Iterable

from novum.literature.text import STOPWORDS, words

_WORD = re.compile(r"[a-z][a-z0-9]+")


def token_overlap(a: str, b: str) -> float:
    """How far two texts use the same content words, 0 to 100 (rapidfuzz's sorted-token ratio)."""
    from rapidfuzz.fuzz import token_sort_ratio

    ratio: float = token_sort_ratio(" ".join(words(a)), " ".join(words(b)))
    return ratio


def identifier(title: str, taken: Iterable[str], most: int = 40) -> str:
    """A name for folders from `title`: `[a-z][a-z0-9_]*`, at most 60 characters, not among `taken`."""
    telling = [w for w in _WORD.findall(title.lower()) if w not in STOPWORDS] or ["idea"]
    name: str = telling[0][:most]
    for word in telling[1:]:
        if len(name) + 1 + len(word) > most:
            break
        name += f"_{word}"
    used, chosen, number = set(taken), name, 2
    while chosen in used:
        chosen = f"{name}_{number}"
        number += 1
    return chosen


def whole_sentences(text: str) -> str:
    """`text` on one line without a last sentence that a length limit cut; all of it when none is whole."""
    line = " ".join(text.split())
    if not line or line[-1] in ".!?":
        return line
    end = max(line.rfind(f"{mark} ") for mark in ".!?")
    return line[: end + 1] if end > 0 else f"{line}."
