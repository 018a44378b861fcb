"""Text of titles, names and abstracts: made plain, made comparable, cut into search words.

Everything the literature compares or searches goes through here, so that a query, a stored title and the
same title from another source meet in one form.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,300}>")
_SPACE = re.compile(r"\s+")
_LATEX = re.compile(r"[\\$]|\{[^{}]*\}")

_STOPWORDS = """
a about above after again all also although am an and any are as at be because been before being
between both but by can cannot could did do does doing done during each either et etc few for from
further had has have having he hence her here him his how however i if in into is it its itself just
many may might more most much must my neither nor not of off often on once one only onto or other our
out over own per quite rather same several shall she should since so some still such than that the
their them then there therefore these they this those through thus to too toward towards under until
up upon us very via was we well were what when where whether which while who whom whose why will with
within without would yet you your
"""
STOPWORDS = frozenset(_STOPWORDS.split())

# Longest first; what stays must keep four letters. Crude, but the same for a query and for the index.
_SUFFIXES = (
    *("izations", "ization", "izers", "izing", "izer", "ized", "izes", "ize"),
    *("ations", "ation", "ating", "ators", "ator", "ated", "ates", "ate"),
    *("iveness", "fulness", "ically", "ical", "ments", "ment", "ingly", "edly", "ities", "ity"),
    *("ings", "ing", "ions", "ion", "ives", "ive", "ances", "ance", "ences", "ence"),
    *("ally", "ers", "ies", "ied", "als", "al", "ed", "er", "es", "ly", "ic", "e", "i", "y"),
)
_ISE = ("ise", "ised", "iser", "isers", "ises")


def fold(text: str) -> str:
    """Lower case without accents: `Émile` and `emile` are the same."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The word without its endings: `learned`, `learning` and `learns` become `learn`."""
    if not word.isalpha():
        return word
    word = word.replace("isation", "ization").replace("ising", "izing")
    if word.endswith(_ISE):
        word = re.sub(r"is(e|ed|er|ers|es)$", r"iz\1", word)
    if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    shorter = _without_ending(word)
    while shorter != word:
        word, shorter = shorter, _without_ending(shorter)
    return word


def _without_ending(word: str) -> str:
    if word.endswith("ss"):
        return word
    # Most words have none, which one test tells; an index of the shipped works is made while a person waits.
    for suffix in _SUFFIXES if word.endswith(_SUFFIXES) else ():
        if word.endswith(suffix) and len(word) - len(suffix) >= 4:
            return word[: -len(suffix)]
    # `planned` -> `plann` -> `plan`, but `cross` keeps its end.
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "sl":
        return word[:-1]
    return word


def content_words(text: str) -> list[str]:
    """The words of a text in order, folded, without those that say nothing."""
    return [w for w in _WORD.findall(fold(text)) if w not in STOPWORDS and (len(w) > 1 or w.isdigit())]


def words(text: str) -> list[str]:
    """The search words of a text in order: its content words, stemmed."""
    return [stem(w) for w in content_words(text)]


def plain(text: str | None) -> str:
    """One line of plain Unicode from text with HTML tags, entities, LaTeX or control characters."""
    if not text:
        return ""
    if "<" in text or "&" in text:
        # Twice, for some services send entities that were escaped again.
        text = html.unescape(html.unescape(_TAG.sub("", text)))
        text = _TAG.sub("", text)
    text = "".join(" " if c in "\n\r\t" else c for c in text if c in "\n\r\t" or c.isprintable())
    return unicodedata.normalize("NFC", _SPACE.sub(" ", text)).strip()


def plain_name(text: str | None) -> str:
    """Like `plain`, and LaTeX (`{GAN}s`, `$\\ell_1$`, `Schr\\"odinger`) becomes the characters it stands for."""
    line = plain(text)
    return _from_latex(line) if _LATEX.search(line) else line


def plain_title(text: str | None) -> str:
    """Like `plain_name`, without the full stop that some services put after a title."""
    line = plain_name(text)
    return line[:-1].strip() if line.endswith(".") and not line.endswith("..") else line


def _from_latex(line: str) -> str:
    from pylatexenc.latex2text import LatexNodes2Text

    try:
        converted = LatexNodes2Text(math_mode="text", strict_latex_spaces=False).latex_to_text(line)
    except (ValueError, IndexError, RecursionError):
        converted = line  # broken LaTeX stays as it was sent; it is escaped before it meets TeX
    return plain(converted.replace("{", "").replace("}", "")) or line


def title_key(title: str) -> str:
    """What is left of a title when case, accents, punctuation and spacing do not count."""
    return "".join(_WORD.findall(fold(title)))


def family_name(author: str) -> str:
    """The family name of `Jonathan Ho`, `Ho, Jonathan` or `J. van der Waals` (with its particle)."""
    return _name_parts(author)[0]


def given_names(author: str) -> str:
    """The other names of an author, as they were written."""
    return _name_parts(author)[1]


def name_suffix(author: str) -> str:
    """`Jr.` of `Martin Luther King Jr.`, `III` of `Gates, III, William`; "" for most."""
    return _name_parts(author)[2]


def _name_parts(author: str) -> tuple[str, str, str]:
    """Family name, given names and suffix."""
    name = re.sub(r"\s+\d{4}$", "", author.strip())  # DBLP numbers its namesakes
    if "," in name:
        family, *others = (part.strip() for part in name.split(","))
        suffix = next((part for part in others if _is_suffix(part)), "")
        return family, ", ".join(part for part in others if part and part != suffix), suffix
    parts, suffix = name.split(), ""
    while len(parts) > 2 and _is_suffix(parts[-1]):
        suffix = parts.pop()
    start = len(parts) - 1
    while start > 1 and parts[start - 1].islower():
        start -= 1
    return " ".join(parts[start:]), " ".join(parts[:start]), suffix


def _is_suffix(word: str) -> bool:
    return fold(word).strip(".") in {"jr", "sr", "ii", "iii", "iv"}


def name_key(author: str) -> str:
    """The last word of the family name, which is what sources agree on: they differ in particles."""
    family = family_name(author).split()
    return "".join(_WORD.findall(fold(family[-1]))) if family else ""
