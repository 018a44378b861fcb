r"""Literal numbers in prose that nothing stands behind.

Covers: digits of any script, fractions, number words, and words such as "twice" or "half". Let through as
structural: years, the numbers of sections, figures, tables and runs, a count of things that the same sentence lists,
names that hold digits (`COVID-19`, `R0`), the level of an interval (`95\,\% interval`), small whole numbers inside
formulas. Not covered: numbers told in other words ("a handful", "the vast majority").
"""

from __future__ import annotations

import re
import unicodedata

from novum.paper.numbers import BOUND_MACROS
from novum.paper.text import word_set

_ARGUMENT = r"\s*(?:\[[^\]]*\]\s*)?\{[^{}]*\}"
_SILENT = (*BOUND_MACROS, "cite", "citep", "citet", "ref", "eqref", "label", "claim", "url", "input")
_BOUND = re.compile(rf"\\(?:{'|'.join(_SILENT)})\b(?:{_ARGUMENT})+(?:\s*\{{[^{{}}]*\}})*")
_TITLES = re.compile(
    r"\\(?:worktitle|worksummary|href|nolinkurl|texttt)\b\{(?:[^{}]|\{[^{}]*\})*\}(?:\{(?:[^{}]|\{[^{}]*\})*\})?"
)
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
_YEAR_BEFORE = re.compile(
    r"(?:\b(?:in|since|of|during|until|from|by|after|before|between|and|to|the|early|late|around)[\s~]|[(,~]\s?)$",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"^[\s~-]*([a-z]+)")
_NOT_COUNTED = word_set("""was is has as this its versus plus""")
_IDIOM_AFTER = re.compile(r"^\s+(?:of|another|can|may|might|could|must|should|would|has|is|cannot|does)\b")
_ZERO_BEFORE = re.compile(r"\b(?:from|to|than|above|below|near|at|non)[\s-]$", re.IGNORECASE)
_ONE = frozenset({"one"})


def unbound_numbers(prose: str) -> list[str]:
    """The literal numbers of `prose` (LaTeX or plain) that are neither structural nor bound to a key, in order."""
    found: list[str] = []
    text = _COMMENT.sub("", prose)
    text = _DISPLAY.sub(lambda m: f" {_formula(m[0], display=True)} ", text)
    # A bound macro leaves a word behind, so that what stands around it does not grow together.
    text = _BOUND.sub(" bound ", text)
    text = _TITLES.sub(" titled ", text)
    text = _MATH.sub(lambda m: f" {_formula(m[1])} ", text)
    for sentence in _SENTENCE.split(text):
        if sentence:
            found += _in_sentence(_western(sentence))
    return found


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
    if re.fullmatch(r"\d{4}", token) and 1500 <= int(token) <= 2100:
        return _is_year(before, after)
    return token.isdigit() and _lists(int(token), after)


def _is_year(before: str, after: str) -> bool:
    counted = _COUNTED.match(after)
    if counted and counted[1].endswith("s") and counted[1] not in _NOT_COUNTED:
        return False
    return bool(_YEAR_BEFORE.search(before)) or after.lstrip().startswith((")", "]", ",", ";"))


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
