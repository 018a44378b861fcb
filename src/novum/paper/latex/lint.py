r"""What of a model's LaTeX may stand in a paper: a short list of commands and environments, in balance.

Covers: commands that read, write, define or run anything (none is on the list), keys that are not written as the checks
of keys read them, unbalanced braces, mathematics and environments, marks that are only allowed in mathematics. Does
not cover: mathematics that TeX refuses for other reasons, which the compilation finds.
"""

from __future__ import annotations

import re

from novum.literature.tex import escape
from novum.paper.numbers import BOUND_MACROS, KEYED, KEYED_MACRO

_TEXT = """emph textbf textit texttt textsc underline paragraph subsection footnote item ref eqref label cite claim
ldots dots quad qquad par noindent"""
_MATH = """frac dfrac tfrac sqrt sum prod int lim log ln exp sin cos tan max min sup inf arg det Pr left right big Big
bigl bigr Bigl Bigr mathbb mathbf mathrm mathcal mathit boldsymbol text operatorname times cdot cdots pm mp
leq le geq ge neq ne approx sim simeq equiv propto in notin subset subseteq cup cap to rightarrow leftarrow
Rightarrow Leftrightarrow mapsto infty partial nabla forall exists hat bar tilde vec dot ddot overline mid
binom top perp prime circ star ast dagger ell alpha beta gamma delta epsilon varepsilon zeta eta theta
vartheta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta
Lambda Xi Pi Sigma Upsilon Phi Psi Omega lVert rVert lvert rvert langle rangle lfloor rfloor lceil rceil
nonumber notag div setminus wedge vee neg ldots vdots ddots widehat widetilde underbrace overbrace
displaystyle limits colon"""
ALLOWED = frozenset((*_TEXT.split(), *_MATH.split(), *BOUND_MACROS))
"""Commands that a model may use."""
_MATH_ONLY = frozenset(_MATH.split()) - frozenset(("ldots", "text"))
_DISPLAYS = frozenset({"equation", "equation*", "align", "align*", "gather", "gather*"})
_INNER = frozenset({"aligned", "split", "cases", "matrix", "pmatrix", "bmatrix"})
_LISTS = frozenset({"itemize", "enumerate", "quote"})
_SYMBOLS = frozenset("%&#_$ ,;:!{}\\-/")
_TOKEN = re.compile(r"\\(begin|end)\s*\{([^{}]*)\}|\\([A-Za-z]+)\*?|\\(.)|(\$\$|\^\^|[{}$&#%^_])", re.DOTALL)


def to_ascii(tex: str) -> str:
    """The same LaTeX with every character beyond ASCII as a command that all engines know."""
    return "".join(c if c.isascii() else escape(c) for c in tex)


def problems_of(tex: str) -> list[str]:
    """What must not stand in a paper; empty when the piece is safe to compile."""
    checker = _Checker()
    # What is left of these macros without their keys is not written as it must be.
    for match in _TOKEN.finditer(KEYED_MACRO.sub(" ", tex)):
        checker.take(match)
    return checker.finish()


class _Checker:
    """Walks over the tokens of a piece of LaTeX and keeps what is open."""

    def __init__(self) -> None:
        self.problems: dict[str, None] = {}
        self.open: list[str] = []

    @property
    def in_math(self) -> bool:
        return any(o == "$" or o in _DISPLAYS for o in self.open)

    def take(self, match: re.Match[str]) -> None:
        turn, environment, command, symbol, mark = match.groups()
        if turn:
            self._environment(turn, environment)
        elif command:
            self._command(command)
        elif symbol:
            if symbol not in _SYMBOLS:
                self._wrong(rf"the command \{symbol} is not allowed")
        else:
            self._mark(mark)

    def _environment(self, turn: str, name: str) -> None:
        if name not in _DISPLAYS | _INNER | _LISTS:
            self._wrong(f"the environment {name!r} is not allowed")
        elif turn == "begin":
            if (name in _DISPLAYS and self.in_math) or (name in _INNER and not self.in_math):
                self._wrong(f"the environment {name!r} cannot stand there")
            self.open.append(name)
        else:
            self._close(name)

    def _command(self, name: str) -> None:
        if name not in ALLOWED:
            self._wrong(rf"the command \{name} is not allowed")
        elif name in KEYED:
            self._wrong(rf"\{name} takes its keys in braces, at once, without options or spaces")
        elif name in _MATH_ONLY and not self.in_math:
            self._wrong(rf"the command \{name} stands outside mathematics")

    def _mark(self, mark: str) -> None:
        if mark == "{":
            self.open.append("{")
        elif mark == "}":
            self._close("{")
        elif mark == "$":
            if self.open and self.open[-1] == "$":
                self.open.pop()
            elif self.in_math:
                self._wrong("$ inside mathematics")
            else:
                self.open.append("$")
        elif mark in ("$$", "^^"):
            self._wrong(f"{mark} is not allowed")
        elif mark in "#%":
            self._wrong(rf"write \{mark} for {mark}")
        elif mark == "&" and not (self.in_math and {*self.open} & (_INNER | {"align", "align*"})):
            self._wrong(r"& outside an alignment; write \&")
        elif mark in "^_" and not self.in_math:
            self._wrong(
                rf"{mark} outside mathematics; write \{mark}" if mark == "_" else "^ outside mathematics"
            )

    def _close(self, name: str) -> None:
        if self.open and self.open[-1] == name:
            self.open.pop()
        else:
            self._wrong(f"{'}' if name == '{' else name} is closed but not open")

    def _wrong(self, problem: str) -> None:
        self.problems.setdefault(problem)

    def finish(self) -> list[str]:
        for name in self.open:
            self._wrong(f"{name} is not closed")
        return list(self.problems)
