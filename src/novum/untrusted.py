"""Text from outside (abstracts, titles, PDFs) made fit to stand in a prompt as data.

Covers: the markers by which chat models tell turns apart, our own delimiters, invisible characters, and
sentences that speak to a model or a reviewer rather than about the work. Does not cover: instructions in
words that none of the patterns knows. So nothing may depend on this alone: an answer that is drawn from
untrusted text is a choice among identifiers that the code gave, checked by the code.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_MARKERS = re.compile(
    r"<\|[^<>|]{0,40}\|>|\[/?(?:INST|SYS|AVAILABLE_TOOLS|TOOL_CALLS)\]|<</?SYS>>"
    r"|</?(?:s|system|user|assistant|human|data|paper|work|works|instructions?)\b[^<>]{0,60}>"
    r"|```+|<{3,}|>{3,}|^\s*={3,}.*$|^\s*#{1,6}\s*(?=(?:system|user|assistant|instructions?)\b)",
    re.IGNORECASE | re.MULTILINE,
)
_READER = r"(?:ai|llm|language model|chatbot|machine|automated)"
_WORK = r"(?:this|the|our) (?:idea|paper|submission|work|manuscript)|it"
_VERDICT = r"(?:novel|known|unknown|new|original|accepted|accept)"
_SPEAKS_TO_A_MODEL = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|prompts?|rules|above|previous text)\b"
    rf"|\b(?:you are|you're|act as|as) (?:now )?an? {_READER} (?:model|assistant|reviewer|agent|system)\b"
    rf"|\b{_READER}s?[ -](?:reviewer|referee|reader|assistant)s?\b.{{0,40}}\b(?:must|should|please|shall|are to)\b"
    rf"|\b(?:to|for|note to|attention) (?:the |any |all )?{_READER}s? ?(?:reviewers?|models?|readers?)? ?:"
    r"|^\s*(?:system|assistant|user)\s*:"
    r"|\b(?:give|write|recommend|assign|output|answer|reply|respond|return)\b.{0,60}"
    r"\b(?:positive review|strong accept|10/10|highest (?:score|rating)|(?:score|rating) of \d|the verdict)\b"
    rf"|\b(?:rate|mark|judge|declare|classify|call|consider|recommend|say that)\s+(?:{_WORK})\b.{{0,20}}\b{_VERDICT}\b"
    rf"|\b(?:set|answer|output|reply with)\b.{{0,20}}\b(?:decision|verdict|json)\b"
    r"|\bdo not (?:highlight|mention|list|report)\b.{0,40}\b(?:negatives?|weakness(?:es)?|limitations)\b",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")


class Cleaned(NamedTuple):
    """`text` as data; `removed` are the sentences that spoke to a model, for the record."""

    text: str
    removed: tuple[str, ...]


def clean(text: str) -> Cleaned:
    """`text` without markers, invisible characters and sentences that give a model orders."""
    visible = "".join(
        c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cf", "Co", "Cs"}
    )
    plain = _MARKERS.sub(" ", visible)
    removed = tuple(s.strip() for s in _SENTENCES.split(plain) if _SPEAKS_TO_A_MODEL.search(s))
    for sentence in removed:
        plain = plain.replace(sentence, " ")
    return Cleaned(re.sub(r"[ \t]{2,}", " ", plain).strip(), removed)


def as_line(text: str, most: int) -> str:
    """`text` cleaned, on one line, of at most `most` characters, cut at a word and marked so."""
    line = " ".join(clean(text).text.split())
    if len(line) <= most:
        return line
    return line[:most].rsplit(" ", 1)[0] + " ..."
