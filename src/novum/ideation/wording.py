"""How alike two texts are, and how a model's sentences are made whole."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[a-z][a-z0-9]+")
_STOP = frozenset(
    re.findall(
        r"\w+",
        """a about above after all also an and any are as at be because been before between both but by can could do
        does each effect effects for from has have how if in increase increases into is it its lead leads less may
        more most no not of on only or other our over result results same should show shows study such than that
        the their them then there these they this those through to under up using was we what when which while
        will with within without would""",
    )
)


def content_words(text: str) -> list[str]:
    """The words of `text` that carry its subject, lower case, plural endings off, in order."""
    stems = ((word, _stem(word)) for word in _WORD.findall(text.lower()))
    return [stem for word, stem in stems if word not in _STOP and stem not in _STOP]


def _stem(word: str) -> str:
    if len(word) < 5 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]


def token_overlap(a: str, b: str) -> float:
    """How far two texts use the same content words, 0 to 100 (rapidfuzz's sorted-token ratio)."""
    from rapidfuzz.fuzz import token_sort_ratio

    ratio: float = token_sort_ratio(" ".join(content_words(a)), " ".join(content_words(b)))
    return ratio


def identifier(title: str, taken: Iterable[str], most: int = 40) -> str:
    """A name for folders from `title`: `[a-z][a-z0-9_]*`, at most 60 characters, not among `taken`."""
    words = [w for w in _WORD.findall(title.lower()) if w not in _STOP] or ["idea"]
    name: str = words[0][:most]
    for word in words[1:]:
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
