r"""Literal numbers in prose that nothing stands behind.

Covers: digits of any script, fractions, number words, and words such as "twice" or "half". Let through as
structural: years, the numbers of sections, figures, tables and runs, a count of things that the same sentence lists,
names that hold digits (`COVID-19`, `R0`), the level of an interval (`95\,\% interval`), small whole numbers inside
formulas. Not covered: numbers told in other words ("a handful", "the vast majority").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from novum.literature.tex import escape
from novum.paper.numbers import KEYED_MACRO
from novum.paper.text import word_set
from novum.template import Template

_ARGUMENT = r"\{(?:[^{}]|\{[^{}]*\})*\}"
_BOUND = re.compile(rf"{KEYED_MACRO.pattern}|\\(?:citep|citet|url|input)\{{[^{{}}]*\}}")
_TITLES = re.compile(rf"\\(?:worktitle|worksummary|nolinkurl){_ARGUMENT}|\\href{_ARGUMENT}{_ARGUMENT}")
_TYPED = re.compile(rf"\\texttt({_ARGUMENT})")
# A number of its own, not a part of a name such as `run_1.json` or `enwik8`.
_BARE = re.compile(r"(?<![\w./-])\.?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?(?![\w/-]|\.\w)")

_DISPLAY = re.compile(
    r"\\begin\{(equation|align|gather|multline)(\*?)\}.*?\\end\{\1\2\}|\\\[.*?\\\]", re.DOTALL
)
_MATH = re.compile(r"(?<!\\)\$([^$]*)\$")
_SCRIPT = re.compile(r"[_^](?:\{[^{}]*\}|\\?\w)")
_COMMENT = re.compile(r"(?<!\\)%.*")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\\`])|\n\s*\n")

_WORDS = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
}
_TENS = "thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion dozen"
_AMOUNTS = (
    "half halves halved halving third-fold twice thrice double doubled doubles doubling triple tripled triples "
    "tripling quadruple quadrupled quarter quarters percent percentage hundreds thousands millions billions dozens "
    "two-thirds one-third one-half twofold threefold fourfold fivefold sixfold tenfold hundredfold"
)
_WORD = re.compile(
    rf"\b(?:{'|'.join(sorted([*_WORDS, *_TENS.split(), *_AMOUNTS.split()], key=len, reverse=True))})"
    r"(?:-(?:one|two|three|four|five|six|seven|eight|nine|fold))?\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(
    r"(?<![\w\\])[-+]?\.?\d(?:\d|[.,](?=\d)|\\,(?=\d)|\{,\}(?=\d))*(?:\s?[eE][-+]?\d+)?(?:\s*\\?%|(?:\\,)+\\%)?"
)
_IN_DISPLAY = re.compile(r"\d*[.,]\d+|\d{2,}")
_IN_FORMULA = re.compile(
    r"\d*[.,]\d+|(?:(?<=[=<>])|(?<=approx)|(?<=sim)|(?<=leq)|(?<=le)|(?<=geq)|(?<=ge)|(?<=times))\s*-?\d+(?![\d.,]*\d)|\d{2,}"
)
_AFTER_SECTION = re.compile(r"\b(?:sections?|equations?|eq\.|appendix|chapter|theorem)[\s~]*$", re.IGNORECASE)
_AFTER_LABEL = re.compile(
    r"(?:\b(?:figures?|fig\.|tables?|algorithm|step|runs?|attempts?)[\s~]*|[A-Za-z]-)$", re.IGNORECASE
)
_LEVEL = re.compile(
    r"^(?:\\,)?\s*(?:credible|confidence)?\s*(?:interval|confidence|level|limits?|ci)\b", re.IGNORECASE
)
_YEAR = r"(?:1[5-9]\d\d|20\d\d|2100)"
_EPIDEMIC = r"(?:(?:influenza|flu|cholera)\s+)?(?:pandemic|epidemic|outbreak)s?"
_YEAR_BEFORE = re.compile(
    rf"\b(?:in|since|during|until|early|late|mid|years?|{_EPIDEMIC}\s+of)[\s~-]"
    rf"(?:{_YEAR}(?:,\s+(?:and\s+|or\s+)?|\s+(?:and|or)\s+|-+))*$",
    re.IGNORECASE,
)
_THE_EPIDEMIC_OF = (re.compile(r"\bthe[\s~]$", re.IGNORECASE), re.compile(rf"[\s~]{_EPIDEMIC}\b"))
_NAMES = r"(?:[A-Z][\w'-]*|al\.|and|et|\\&)(?:[\s~,]+(?:[A-Z][\w'-]*|al\.|and|et|\\&))*"
_YEARS = rf"{_YEAR}[a-z]?(?:(?:,|;|\s+and|--?)\s*{_YEAR}[a-z]?)*"
_DATED = re.compile(rf"{_NAMES},?[\s~]+{_YEARS}(?:;\s*{_NAMES},?[\s~]+{_YEARS})*")
"""What stands in brackets when it tells who wrote when: `(Kermack and McKendrick, 1927)`."""
_DATABLE = re.compile(rf"(?:[A-Z][\w'-]*|al\.|\bbound|\b{_YEAR}|\b{_EPIDEMIC})[\s~]*$")
"""What may stand before brackets with years alone: a name, a citation, a year, an epidemic."""
_AMOUNT_AFTER = re.compile(r"[\s~]+(?:of|people|children|persons|percent)\b")
_COUNTED = re.compile(r"^[\s~-]*([a-z]+)")
_NOT_COUNTED = word_set("""was is has as this its versus plus""")
_ZERO_BEFORE = re.compile(r"\b(?:from|to|than|above|below|near|at|non)[\s-]$", re.IGNORECASE)
_ONE = frozenset({"one"})


def unbound_numbers(prose: str, declared: Sequence[str] = ()) -> list[str]:
    """The literal numbers of `prose` (LaTeX or plain) that are neither structural nor bound to a key, in order.

    `declared` are phrases of the template that hold a number (`declared_phrases`); they may stand as they are.
    """
    found: list[str] = []
    text = _COMMENT.sub("", prose)
    for phrase in declared:
        text = re.sub(re.escape(phrase), " declared ", text, flags=re.IGNORECASE)
    text = _DISPLAY.sub(lambda m: f" {_formula(m[0], display=True)} ", text)
    # A bound macro leaves a word behind, so that what stands around it does not grow together.
    text = _BOUND.sub(" bound ", text)
    text = _TYPED.sub(_typed, _TITLES.sub(" titled ", text))
    text = _MATH.sub(lambda m: f" {_formula(m[1])} ", text)
    for sentence in _SENTENCE.split(text):
        if sentence:
            found += _in_sentence(_western(sentence))
    return found


def declared_phrases(template: Template) -> tuple[str, ...]:
    """What the template calls the things it measures and varies, and says of them, where that holds a number; LaTeX."""
    said = [phrase for m in template.metrics for phrase in (m.title, m.description)]
    said += [phrase for p in template.parameters for phrase in (p.title, p.description)]
    said += [f.description for f in template.functions]
    phrases = {escape(phrase.strip().rstrip(".")) for phrase in said}
    return tuple(sorted((p for p in phrases if unbound_numbers(p)), key=lambda p: (-len(p), p)))


def _typed(match: re.Match[str]) -> str:
    """A name set as one is silent; a number that stands there as such is looked at like any other."""
    text = match[1][1:-1].replace(r"\allowbreak{}", "").replace(r"\_", "_")
    return f" {text} " if _BARE.search(text) or _WORD.fullmatch(text.strip()) else " titled "


def _western(text: str) -> str:
    """Digits of other scripts and fraction signs as plain digits."""
    return "".join(
        c if c.isascii() or not c.isnumeric() else f"{unicodedata.numeric(c, 0.0):g}" for c in text
    )


def _formula(tex: str, *, display: bool = False) -> str:
    """What of a formula must be looked at: decimals, large numbers, and inline what something equals."""
    bare = _SCRIPT.sub(" ", tex)
    pattern = _IN_DISPLAY if display else _IN_FORMULA
    return " ; ".join(found.strip() for found in pattern.findall(bare))


def _in_sentence(sentence: str) -> list[str]:
    hits = [(m.start(), m) for m in _DIGITS.finditer(sentence)]
    hits += [(m.start(), m) for m in _WORD.finditer(sentence)]
    return [m[0].strip() for _, m in sorted(hits, key=lambda hit: hit[0]) if not _structural(m, sentence)]


def _structural(match: re.Match[str], sentence: str) -> bool:
    before, after, token = sentence[: match.start()], sentence[match.end() :], match[0].strip()
    if token[0].isalpha():
        return _structural_word(token.lower(), before, after)
    if re.fullmatch(r"\d{1,2}(?:\.\d{1,2})*", token) and _AFTER_SECTION.search(before):
        return True
    if re.fullmatch(r"\d{1,3}", token) and _AFTER_LABEL.search(before):
        return True
    # `2D`, `3-D` and `H1N1` are names; `12x` and `10k` are amounts.
    if re.match(r"-?D\b", after):
        return True
    if re.fullmatch(r"95\s*(?:\\,)*\\?%", token) and _LEVEL.match(after):
        return True
    if re.fullmatch(_YEAR, token):
        return _is_year(before, token, after)
    return token.isdigit() and _lists(int(token), after)


def _is_year(before: str, token: str, after: str) -> bool:
    """Whether four digits are a year beyond doubt: `since 2010`, `(Holm, 1979)`; not `fell from 1902 to 1650`."""
    counted = _COUNTED.match(after)
    if counted and counted[1].endswith("s") and counted[1] not in _NOT_COUNTED | {"pandemics", "epidemics"}:
        return False
    if _AMOUNT_AFTER.match(after):
        return False
    lead, follow = _THE_EPIDEMIC_OF
    if _YEAR_BEFORE.search(before) or (lead.search(before) and follow.match(after)):
        return True
    head, opened, inside = before.rpartition("(")
    rest, closed, _ = after.partition(")")
    if not opened or not closed or ")" in inside or "(" in rest:
        return False
    bracket = f"{inside}{token}{rest}".strip()
    if re.fullmatch(_YEARS, bracket):
        return bool(_DATABLE.search(head))
    return bool(_DATED.fullmatch(bracket))


def _structural_word(word: str, before: str, after: str) -> bool:
    if word in _ONE:
        return True
    if word == "zero":
        return bool(_ZERO_BEFORE.search(before))
    return word in _WORDS and _lists(_WORDS[word], after)


def _lists(count: int, after: str) -> bool:
    """Whether what follows lists `count` things: `three groups (a, b and c)`, `two reasons: x and y`."""
    opened = re.search(r"^[^.,;:(]*?(?::|\(|, namely|---)\s*([^).;]*)", after)
    if not opened or not 2 <= count <= 12:
        return False
    items = [i for i in re.split(r",\s*(?:and|or)\s+|\s+(?:and|or)\s+|,\s*", opened[1]) if i.strip()]
    return len(items) == count
