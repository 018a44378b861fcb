"""The safety screen's rules: a dangerous subject together with the wish to make it, use it or make it worse.

The rules are data (`safety_rules.toml`). One sentence is looked at at a time. A rule fires when the sentence has
the rule's subject and its aim, unless the sentence says that the aim is protection (detect, prevent, treat ...)
and does not say that protection is to be evaded. Rules err towards silence: the model judges what they pass.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

CATEGORIES: dict[str, str] = {
    "none": "no harm is aimed at",
    "weapons": "building or improving weapons, explosives or poisons, also biological, chemical or nuclear ones",
    "pathogens": "making a disease agent more dangerous, or releasing one",
    "cyberattack": "malicious software, breaking into systems, stealing data or passwords, disrupting services",
    "surveillance": "tracking, identifying or exposing people against their will",
    "deception": "fraud, phishing, impersonation, fake reviews, disinformation, manipulating votes or markets",
    "discrimination": "treating people worse for who they are, harassment, inciting hatred or violence",
    "abuse": "sexual exploitation, abuse of children, coercion, encouraging self-harm",
    "drugs": "making or selling illegal drugs",
    "unsafe_ai": "removing the safety of AI systems for misuse, or AI that escapes human control",
    "human_subjects": "experiments on people or animals without consent or needed care",
}
"""Categories of harm, each with what it means."""

_FILE = Path(__file__).with_name("safety_rules.toml")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")


class Finding(NamedTuple):
    """A category of harm and why the text falls under it."""

    category: str
    reason: str


class _Rule(NamedTuple):
    category: str
    subject: re.Pattern[str]
    aim: re.Pattern[str]


class _Rules(NamedTuple):
    rules: tuple[_Rule, ...]
    protects: re.Pattern[str]
    evades: re.Pattern[str]
    code: tuple[tuple[str, re.Pattern[str]], ...]


def rule_finding(text: str, *, code: bool = False) -> Finding | None:
    """The first rule that `text` falls under, or None; `code` adds the rules for code and its plans."""
    rules = _rules()
    for category, pattern in rules.code if code else ():
        if match := pattern.search(text):
            return Finding(category, f"{CATEGORIES[category]} (it contains {match[0]!r})")
    for sentence in _SENTENCE.split(text):
        if found := _sentence_finding(rules, " ".join(sentence.split())):
            return found
    return None


def _sentence_finding(rules: _Rules, sentence: str) -> Finding | None:
    if rules.protects.search(sentence) and not rules.evades.search(sentence):
        return None
    for rule in rules.rules:
        if rule.subject.search(sentence) and (aim := rule.aim.search(sentence)):
            reason = f"{CATEGORIES[rule.category]} (the words {aim[0].strip()!r} in {sentence[:120]!r})"
            return Finding(rule.category, reason)
    return None


@cache
def _rules() -> _Rules:
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return _Rules(
        rules=tuple(_Rule(r["category"], _any(r["subject"]), _any(r["aim"])) for r in data["rules"]),
        protects=_any(data["protects"]),
        evades=_any(data["evades"]),
        code=tuple((r["category"], _any(r["patterns"], start="")) for r in data["code"]),
    )


def _any(patterns: Iterable[str], start: str = r"\b") -> re.Pattern[str]:
    return re.compile(rf"{start}(?:{'|'.join(patterns)})", re.IGNORECASE)
