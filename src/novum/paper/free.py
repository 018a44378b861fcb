r"""Prose that a frontier model writes freely: LaTeX, numbers by key, comparisons as claims. What is wrong with it?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from novum.paper.claims import RELATIONS, claims_in, judge, lacks_claim
from novum.paper.latex.lint import problems_of, to_ascii
from novum.paper.latex.plain import as_plain
from novum.paper.material import Material
from novum.paper.numbers import BOUND_MACROS, PAIR_MACROS, known_keys, pair_key
from novum.paper.text import tex_sentences
from novum.paper.unbound import unbound_numbers

_MACRO = re.compile(rf"\\({'|'.join(BOUND_MACROS)})\{{([^{{}}]*)\}}(?:\{{([^{{}}]*)\}})?")
_CITE = re.compile(r"\\cite\{([^{}]*)\}")
_REF = re.compile(r"\\(?:eq)?ref\{([^{}]*)\}")
_LABEL = re.compile(r"\\label\{([^{}]*)\}")
_FENCE = re.compile(r"\A\s*```[a-z]*\n(.*?)\n?```\s*\Z", re.DOTALL)
_SECTION = re.compile(r"^\s*\\section\*?\{[^{}]*\}(?:\s*\\label\{[^{}]*\})?\s*", re.MULTILINE)
_BEGIN, _END = re.compile(r"\\begin\{"), re.compile(r"\\end\{")


@dataclass(frozen=True)
class Allowed:
    """The keys that prose may name."""

    keys: Mapping[str, frozenset[str]]
    citations: frozenset[str]
    labels: frozenset[str]

    @classmethod
    def of(cls, material: Material, citations: frozenset[str], labels: frozenset[str]) -> Allowed:
        return cls(known_keys(material.results, material.facts), citations, labels)


def cleaned(reply: str) -> str:
    """The LaTeX of a reply: without fences and headings of the section, ASCII only."""
    text = _FENCE.sub(r"\1", reply)
    return to_ascii(_SECTION.sub("", text).strip())


def split_paragraphs(tex: str) -> list[str]:
    """Paragraphs at blank lines that are not inside an environment."""
    paragraphs: list[str] = []
    depth = 0
    for piece in re.split(r"\n\s*\n", tex):
        if depth > 0 and paragraphs:
            paragraphs[-1] += f"\n{piece.strip()}"
        elif piece.strip():
            paragraphs.append(piece.strip())
        depth += len(_BEGIN.findall(piece)) - len(_END.findall(piece))
    return paragraphs


def problems_in(tex: str, material: Material, allowed: Allowed) -> list[str]:
    """Everything that is wrong with a section's LaTeX, in words for the model."""
    problems: list[str] = []
    labels = allowed.labels | frozenset(_LABEL.findall(tex))
    for paragraph in split_paragraphs(tex):
        problems += [f"{p} (in: {paragraph[:60]!r})" for p in problems_of(paragraph)]
        for sentence in tex_sentences(paragraph):
            problems += [
                f"{p} (in: {sentence[:90]!r})" for p in sentence_problems(sentence, material, allowed, labels)
            ]
    return list(dict.fromkeys(problems))


def sentence_problems(
    sentence: str, material: Material, allowed: Allowed, labels: frozenset[str]
) -> list[str]:
    """What is wrong with one sentence: numbers, keys, citations, references, claims."""
    return [*_keys(sentence, allowed, labels), *_numbers(sentence, material), *_claims(sentence, material)]


def _keys(sentence: str, allowed: Allowed, labels: frozenset[str]) -> list[str]:
    problems = []
    for macro, first, second in _MACRO.findall(sentence):
        key = pair_key(first, second) if macro in PAIR_MACROS else first
        if key not in allowed.keys[macro]:
            problems.append(rf"\{macro} has no value for {key!r}; use a key of the list")
    for key in (k.strip() for group in _CITE.findall(sentence) for k in group.split(",")):
        if key not in allowed.citations:
            problems.append(f"there is no work {key!r}; cite only keys of the list")
    problems += [f"there is no label {name!r}" for name in _REF.findall(sentence) if name not in labels]
    return problems


def _numbers(sentence: str, material: Material) -> list[str]:
    return [
        rf"the number {n!r} is typed; write \result, \change or \config with a key, or leave it out"
        for n in unbound_numbers(sentence, material.declared)
    ]


def _claims(sentence: str, material: Material) -> list[str]:
    problems = []
    for claim in claims_in(sentence):
        if claim.relation not in RELATIONS:
            problems.append(f"a relation is one of {', '.join(RELATIONS)}; not {claim.relation!r}")
            continue
        supported, reason = judge(claim, material.results)
        if not supported:
            problems.append(
                f"the results do not support that {claim.a} is {claim.relation} than {claim.b}: {reason}"
            )
    if lacks_claim(sentence):
        problems.append(r"a comparison of results needs \claim{a}{relation}{b} behind its full stop")
    return problems


def mended(tex: str, material: Material, allowed: Allowed) -> tuple[str, list[tuple[str, str]]]:
    """The LaTeX without what is wrong with it, and the sentences that went, each with its reason.

    A paragraph whose LaTeX is not allowed is set as plain text first.
    """
    kept: list[str] = []
    dropped: list[tuple[str, str]] = []
    labels = allowed.labels | frozenset(_LABEL.findall(tex))
    for paragraph in split_paragraphs(tex):
        safe = paragraph if not problems_of(paragraph) else as_plain(paragraph)
        good = []
        for sentence in tex_sentences(safe):
            problems = sentence_problems(sentence, material, allowed, labels)
            if problems:
                dropped.append((sentence, problems[0]))
            else:
                good.append(sentence)
        body = " ".join(good)
        # Without a sentence an environment may have lost its end.
        if body and problems_of(body):
            body = as_plain(body)
        if body.strip():
            kept.append(body)
    return "\n\n".join(kept), dropped
