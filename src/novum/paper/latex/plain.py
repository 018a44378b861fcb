r"""A paragraph of LaTeX set as plain text: words stay, keys and citations stay, every other command goes."""

from __future__ import annotations

import re

from novum.literature.tex import escape
from novum.paper.numbers import KEYED, PAIR_MACROS, RESULT_MACROS

_KEY = r"\{[A-Za-z0-9_./:,\- ]*\}"
_KEPT = re.compile(
    rf"\\(?:{'|'.join((*RESULT_MACROS, 'config', 'cite', 'ref'))}){_KEY}"
    rf"|\\(?:{'|'.join(PAIR_MACROS)}){_KEY}{_KEY}|\\claim{_KEY}{_KEY}{_KEY}"
)
# A reference that is not written as it must be goes with what it names.
_MALFORMED = re.compile(rf"\\(?:{'|'.join(KEYED)})(?![A-Za-z])\*?\s*(?:\[[^\]]*\]\s*)*(?:\{{[^{{}}]*\}}\s*)*")
_COMMENT = re.compile(r"(?<!\\)%.*")
_WRAPPER = re.compile(
    r"\\(?:emph|textbf|textit|texttt|textsc|underline|paragraph|subsection|worktitle|worksummary)\*?\s*\{"
)
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{[^{}]*\}(?:\[[^\]]*\])?")
_COMMAND = re.compile(r"\\([A-Za-z]+)\*?")
_SYMBOL = re.compile(r"\\([%&#_$ ,;])")
_GREEK = "alpha beta gamma lambda mu sigma rho"
_WORDS_OF_COMMANDS = {
    "item": ";",
    "times": "x",
    "pm": "+/-",
    "leq": "at most",
    "geq": "at least",
    "approx": "about",
    "ldots": "...",
    "dots": "...",
    **{name: name for name in _GREEK.split()},
}


def as_plain(tex: str) -> str:
    """The paragraph as text that compiles whatever it was; the marks of claims, keys and citations are kept."""
    pieces: list[str] = []
    end = 0
    for match in _KEPT.finditer(tex):
        pieces += [_words(tex[end : match.start()]), match[0]]
        end = match.end()
    pieces.append(_words(tex[end:]))
    return re.sub(r"[ \t]+", " ", "".join(pieces)).strip() or "(This paragraph could not be set.)"


def _words(tex: str) -> str:
    text = _MALFORMED.sub(" ", _COMMENT.sub("", tex)).replace("~", " ")
    text = _ENVIRONMENT.sub(" ", _WRAPPER.sub("{", text))
    text = _SYMBOL.sub(lambda m: m[1] if m[1] not in ",; " else " ", text)
    text = _COMMAND.sub(lambda m: f" {_WORDS_OF_COMMANDS.get(m[1], '')} ", text)
    text = re.sub(r"[\\{}$&^_#]", " ", text)
    lead = " " if text[:1].isspace() else ""
    trail = " " if text[-1:].isspace() else ""
    return f"{lead}{escape(text)}{trail}" if text.strip() else lead
