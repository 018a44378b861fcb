"""Words and sentences, as several modules need them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CLAIMS = r"(?:\s*\\claim\{[^{}]*\}\{[^{}]*\}\{[^{}]*\})*"
_END = re.compile(rf"(?<=[.!?])({_CLAIMS})\s+(?!\\claim\{{)(?=[A-Z\\`])")


def tex_sentences(tex: str) -> list[str]:
    """The sentences of a paragraph of LaTeX; a claim's mark stays with the sentence that it follows."""
    # Abbreviations of names must not end a sentence.
    guarded = tex.replace("et~al.", "et~al\0")
    pieces = _END.split(guarded)
    sentences = [a + b for a, b in zip(pieces[::2], [*pieces[1::2], ""], strict=True)]
    return [" ".join(s.replace("\0", ".").split()) for s in sentences if s.strip()]


def word_set(text: str) -> frozenset[str]:
    """The words of a listing, for tables of words that are pleasant to read."""
    return frozenset(text.split())


def sentence_list(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
