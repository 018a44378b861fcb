"""Prose of a small model: a grammar that leaves no room for digits, and checks of each sentence.

The grammar cannot forbid number words, claims about results, praise or repetition; `sentence_problems` finds
them. What it finds goes back to the model or, after the tries, the sentence goes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from novum.literature.text import STOPWORDS, stem
from novum.paper.claims import lacks_claim
from novum.paper.text import word_set
from novum.paper.unbound import unbound_numbers

FEWEST_WORDS, MOST_WORDS = 6, 34
"""At most what the grammar lets follow an opening: a sentence that runs into that end has words run together."""
MOST_LETTERS = 18
_TRUE_ENDS = frozenset({"breathe", "soothe", "clothe", "loathe"})
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")

_HYPE = word_set(
    """amazing breakthrough comprehensive critical critically crucial crucially cutting-edge delve elegant
    essential exceptional extraordinary fascinating game-changing groundbreaking holistic imperative
    impressive incredible innovative invaluable landmark leverage leveraging meticulous novel
    outstanding paramount pioneering pivotal powerful profound promising remarkable remarkably
    revolutionary revolutionize robust seamless seminal showcase significant significantly
    state-of-the-art striking strikingly superior tapestry transformative unparalleled unprecedented
    valuable vital"""
)
_COMPARATIVE = word_set(
    """better bigger broader earlier faster fewer flatter greater higher larger lower milder quicker
    shorter slower smaller stronger sooner weaker worse best highest largest lowest smallest worst
    reduce reduces reducing increase increases increasing decrease decreases decreasing lowers
    lowering raises raising delays delaying postpones postponing shortens prolongs improves
    improving worsens prevents minimizes maximizes flattens"""
)
_PAST = re.compile(
    r"^(?:(?:reduc|increas|decreas|improv|lower|rais|delay|postpon|worsen|outperform|minimi[sz]|maximi[sz]|prevent|shorten|"
    r"prolong|flatten|slow|diminish|lessen)ed|rose|fell|dropped)$"
)
_MODAL = word_set(
    """may might could can would should whether possible possibly perhaps plausible conceivable"""
)
_OWN_FINDINGS = re.compile(
    r"\b(?:(?:our|the|these|this study's) "
    r"(?:results?|findings?|experiments?|simulations?|data|runs|study|studies|analysis)"
    r" "
    r"(?:show|shows|showed|suggest|suggests|suggested|indicate|indicates|demonstrate|demonstrates|confirm|confirms|reveal|reveals|"
    r"found|support|supports|prove|proves)|we "
    r"(?:found|find|show|showed|demonstrate|demonstrated|observed|observe|conclude|proved|"
    r"conducted|collected|surveyed|interviewed|recruited|trained|propose|proposed|introduce|introduced|developed|develop)"
    r"|this (?:study|paper|work) (?:shows|demonstrates|proves|finds|found|confirms|reveals|proposes|introduces))\b",
    re.IGNORECASE,
)
_META = re.compile(
    r"\b(?:this (?:section|paragraph|sentence)|in (?:this|the) (?:section|paragraph)|as an ai|language "
    r"model|the (?:reader|prompt|task|facts)"
    r"|write|sentences?|below|above|rest of the paper|in conclusion|in summary|it is (?:important|worth) "
    r"(?:to note|noting))\b",
    re.IGNORECASE,
)
_RISKY = word_set(
    """dataset datasets participants patients survey surveys questionnaire interview interviews respondents
    volunteers gpu gpus neural classifier regression bayesian corpus annotators country countries
    government governments clinical trial trials statistically empirical evidence proven"""
)
"""Words for things that a model likes to make up; allowed where the study's own facts use them."""


_NEVER_LAST = word_set(
    """a an the and or but nor of to with by from that which whose as at is are was were be their its his
    her our this these than because if while when may might could can would should very such affect affects
    influence influences include includes including between among into onto upon about via due both each every no"""
)


@dataclass(frozen=True)
class Rules:
    """What a sentence is held to. `seen` are the sentences that the paper has so far."""

    vocabulary: frozenset[str]
    """Stems of the study's facts: a sentence must use one of them."""
    metric_words: frozenset[str]
    """Stems of the names of the metrics: no sentence may say how they changed."""
    framed: bool = False
    """The first words of sentences were given."""
    seen: tuple[str, ...] = ()


def content_stems(text: str) -> frozenset[str]:
    """The stems of the words that carry the subject of a text."""
    return frozenset(
        stem(w.lower()) for w in _WORD.findall(text) if w.lower() not in STOPWORDS and len(w) > 2
    )


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph, one line each."""
    line = " ".join(text.split())
    return [s.strip() for s in _SENTENCES.split(line) if s.strip()]


def sentence_problems(sentence: str, rules: Rules) -> list[str]:
    """What is wrong with one sentence, in words that help a model; empty when it may stand."""
    words = [w.lower() for w in _WORD.findall(sentence)]
    checks = (
        _form(sentence, words),
        _numbers(sentence),
        _wording(sentence, words, rules),
        _findings(sentence, words, rules),
        _repeats(sentence, words, rules),
    )
    return [problem for problem in checks if problem]


def _form(sentence: str, words: Sequence[str]) -> str:
    if not FEWEST_WORDS <= len(words) <= MOST_WORDS:
        return f"a sentence has from {FEWEST_WORDS} to {MOST_WORDS} words, this one {len(words)}"
    if not re.match(r"[A-Z].*[.]$", sentence) or re.search(r"[\\{}$#&_^<>|]", sentence):
        return "a sentence begins with a capital, ends with a full stop and has no marks of a formula"
    if odd := [
        w
        for w in words
        if len(w) > MOST_LETTERS or (re.search(r"'[a-z]{2,}|-.*'|[a-z]{3}the$", w) and w not in _TRUE_ENDS)
    ]:
        return f"{odd[0]!r} is not a word"
    if any(a == b for a, b in pairwise(words)):
        return "a word stands there twice in a row"
    if words[-1] in _NEVER_LAST:
        return "the sentence breaks off"
    return ""


def _numbers(sentence: str) -> str:
    found = unbound_numbers(sentence)
    return f"it names amounts ({', '.join(found[:3])}); use no numbers and no number words" if found else ""


def _wording(sentence: str, words: Sequence[str], rules: Rules) -> str:
    if hype := [w for w in words if w in _HYPE]:
        return f"plain words, not {', '.join(dict.fromkeys(hype))}"
    if meta := _META.search(sentence):
        return f"it speaks about the text ({meta[0]!r}), not about the subject"
    acronyms = [
        w for w in re.findall(r"\b[A-Z]{2,}s?\b", sentence) if stem(w.lower()) not in rules.vocabulary
    ]
    if acronyms:
        return f"it uses what is not explained: {', '.join(acronyms)}"
    risky = [w for w in words if w in _RISKY and stem(w) not in rules.vocabulary]
    if risky:
        return f"the study has nothing to do with: {', '.join(dict.fromkeys(risky))}"
    if not content_stems(sentence) & rules.vocabulary:
        return "it says nothing about the subject of the study"
    return ""


def _findings(sentence: str, words: Sequence[str], rules: Rules) -> str:
    if match := _OWN_FINDINGS.search(sentence):
        return f"results are stated elsewhere: do not write {match[0]!r}"
    if lacks_claim(sentence):
        return "results are stated elsewhere: do not compare runs or the baseline"
    if set(words) & _MODAL:
        return ""
    if past := [w for w in words if _PAST.match(w)]:
        return f"{past[0]!r} sounds like a finding; say what may happen, not what happened"
    directed = [w for w in words if w in _COMPARATIVE]
    if directed and {stem(w) for w in words} & rules.metric_words:
        return f"do not say how a measured quantity changes ({directed[0]!r}) without may, might or could"
    return ""


def _repeats(sentence: str, words: Sequence[str], rules: Rules) -> str:
    if len(words) >= 8 and len(set(words)) / len(words) < 0.55:
        return "it repeats itself"
    stems = content_stems(sentence)
    for earlier in rules.seen:
        other = content_stems(earlier)
        if stems and other and len(stems & other) / len(stems | other) >= 0.6:
            return f"it repeats an earlier sentence ({earlier[:60]!r})"
    openings = [tuple(_WORD.findall(s.lower())[:3]) for s in rules.seen]
    if not rules.framed and openings.count(tuple(words[:3])) >= 2:
        return f"too many sentences begin with {' '.join(words[:3])!r}"
    return ""


# -- grammar -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shape:
    """A paragraph to ask for: so many free sentences, or one sentence for each group of openings."""

    sentences: int = 3
    openings: tuple[tuple[str, ...], ...] = ()

    @property
    def count(self) -> int:
        return len(self.openings) or self.sentences


_TOKENS = """sep ::= " " | ", "
tok ::= [a-z] [a-z'-]{0,17}
"""


def grammar(shape: Shape) -> str:
    """GBNF for one paragraph of lower-case words: no digit can be said."""
    names = [f"s{i}" for i in range(1, shape.count + 1)]
    joined = ' " " '.join(names)
    rules = [f'root ::= {joined} "\\n"?']
    for position, name in enumerate(names):
        if shape.openings:
            alternatives = " | ".join(f'"{opening}"' for opening in shape.openings[position])
            rules.append(f'{name} ::= ({alternatives}) (sep tok){{5,{MOST_WORDS}}} "."')
        else:
            rules.append(f'{name} ::= cap (sep tok){{8,{MOST_WORDS}}} "."')
    if not shape.openings:
        rules.append("cap ::= [A-Z] [a-z]{0,14}")
    return "\n".join(rules) + "\n" + _TOKENS
