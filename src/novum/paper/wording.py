"""Small repairs of a small model's words, before they are judged: praise made plain, words that grew together."""

from __future__ import annotations

import re

from novum.paper.text import word_set

_PLAINER = dict(
    pair.split("=")
    for pair in word_set(
        """essential=useful crucial=useful critical=relevant vital=useful pivotal=central paramount=central
        invaluable=useful valuable=useful significant=notable significantly= critically= crucially=
        comprehensive=broad robust=stable novel=new innovative=new profound=strong seamless=smooth
        leverage=use leveraging=using imperative=useful powerful=strong promising=possible"""
    )
)
_PLAINER_WORD = re.compile(rf"\b(?:(an?) )?({'|'.join(_PLAINER)})\b ?", re.IGNORECASE)
_TRUE_THE = (
    "ir|irs|m|me|mes|n|se|y|re|ory|ories|oretical|oretically|rapy|"
    "rapies|sis|matic|mselves|rmal|reby|refore|rein|reof|ft|ater|orem|reafter"
)
_GLUED = re.compile(rf"\bthe(?!(?:{_TRUE_THE})\b)([a-z]{{3,}})\b")
_GLUED_THEIR = re.compile(r"\btheir(?!s\b)([a-z]{3,})\b")
_HYPHEN = re.compile(r"\b([a-z]{3,})-([a-z]{3,})\b")
_TOKEN = re.compile(r"[a-z]{6,}")
_LITTLE = frozenset(["a", "an", "the", "of", "in", "on", "by", "to", "and", "or", "with", "for", "that"])


def plainer(text: str) -> str:
    """`text` with words of praise in plain ones."""

    def swap(match: re.Match[str]) -> str:
        word = _PLAINER[match[2].lower()]
        article = "" if not match[1] else ("an " if word[:1] in "aeio" else "a ")
        if match[2][0].isupper():
            word = word.capitalize()
        return f"{article}{word} " if word else article

    return re.sub(r"\s+([.,])", r"\1", _PLAINER_WORD.sub(swap, text)).strip()


def parted(text: str, known: frozenset[str]) -> str:
    """`text` with words apart that a grammar let grow together: `theimpact`; `attackrate`, both parts `known`."""
    apart = _GLUED.sub(r"the \1", _GLUED_THEIR.sub(r"their \1", text))
    apart = _HYPHEN.sub(lambda m: f"{m[1]} {m[2]}" if m[1] in known and m[2] in known else m[0], apart)
    return _TOKEN.sub(lambda m: _split(m[0], known), apart)


def _split(word: str, known: frozenset[str]) -> str:
    if word in known:
        return word
    for cut in range(len(word) - 3, 2, -1):
        head, tail = word[:cut], word[cut:]
        if head in known and tail in known and (head not in _LITTLE or cut == 3):
            return f"{head} {tail}"
    return word
