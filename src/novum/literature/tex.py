"""Plain Unicode text made safe to stand in LaTeX, for every engine.

Covers: nothing that a source sent can act as a command, whatever the text; the output is ASCII, so that
pdfLaTeX, XeLaTeX, LuaLaTeX and Tectonic set the same. Not covered: scripts that pdfLaTeX has no font for
(Chinese, Arabic ...), whose letters become `?`.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from urllib.parse import quote

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "\u2013": "--",
    "\u2014": "---",
    "\u2010": "-",
    "\u2011": "-",
    "\u2018": "`",
    "\u2019": "'",
    "\u201c": "``",
    "\u201d": "''",
    "\u00a0": "~",
    "\u2026": r"\ldots{}",
    "\u2212": r"\ensuremath{-}",
}


def escape(text: str) -> str:
    """`text` as LaTeX that prints it. One line in, one line out."""
    return "".join(_escape_char(c) for c in " ".join(text.split()))


@lru_cache(maxsize=4096)
def _escape_char(char: str) -> str:
    if char in _SPECIAL:
        return _SPECIAL[char]
    if char.isascii():
        return char if char.isprintable() else " "
    return _known(char) or _transliterated(char)


def _known(char: str) -> str:
    """The LaTeX of an accented letter or a symbol, or "" when there is none that every engine has."""
    from pylatexenc.latexencode import UnicodeToLatexEncoder

    encoder = UnicodeToLatexEncoder(unknown_char_policy="ignore", unknown_char_warning=False)
    encoded = str(encoder.unicode_to_latex(char))
    return f"{{{encoded}}}" if encoded.isascii() and encoded else ""


def _transliterated(char: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", char) if c.isascii())
    if bare:
        return "".join(_SPECIAL.get(c, c) for c in bare)
    name = unicodedata.name(char, "").split()
    if name[:1] == ["CYRILLIC"] and "LETTER" in name:
        letters = name[-1]
        return letters.capitalize() if "CAPITAL" in name else letters.lower()
    return "" if unicodedata.category(char)[0] in "CMZ" else "?"


def address(url: str) -> str:
    r"""A URL for `\href` and `\nolinkurl`: odd characters are percent-encoded, then `%` and `#` are escaped."""
    safe = quote(url, safe="/:?=&.,;()-_@+!*'%#").replace("~", "%7E")
    for char in "%#&_":
        safe = safe.replace(char, f"\\{char}")
    return safe
