"""Compile a draft until there is a PDF without errors.

An error is mapped to its paragraph. A paragraph of a frontier model goes back to it, twice at most; what still
fails is set as plain text, and at the end everything is. So a paper always compiles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from novum.errors import LatexError
from novum.paper.document import Block, Draft, paragraph_at, render
from novum.paper.latex.engine import Compiled, Engine, compile_tex, engines
from novum.paper.latex.log import LatexProblem, undefined_keys
from novum.paper.latex.plain import as_plain
from novum.paper.latex.style import Style, default_style, template_style
from novum.paper.material import Material
from novum.paper.numbers import numbers_tex
from novum.tools import Tools

ROUNDS = 2
"""How often a paragraph is sent back to the model."""
_MOST_PLAIN_ROUNDS = 6
Mend = Callable[[str, Block, str, int], Block | None]
"""(name, paragraph, error, round) to a mended paragraph, or None when nobody can mend it."""


class Made(NamedTuple):
    """A draft that compiles, its PDF, and what it took."""

    draft: Draft
    pdf: bytes
    engine: str
    style: Style
    degraded: tuple[str, ...]
    """Paragraphs that were set as plain text."""


@dataclass(frozen=True)
class _Press:
    """One engine with one style, at work on one study."""

    tools: Tools
    material: Material
    engine: Engine
    style: Style

    def compile(self, draft: Draft, plain: Sequence[str] = ()) -> Compiled:
        """Compile `draft` and log it; `plain` are the paragraphs that were set as plain text."""
        tools, material = self.tools, self.material
        files = {"paper.tex": render(draft).encode(), **self.style.files}
        files["numbers.tex"] = numbers_tex(material.results, material.facts).encode()
        for figure in material.figures:
            files[f"figures/{figure.file}.pdf"] = (tools.folder.figures / f"{figure.file}.pdf").read_bytes()
        compiled = compile_tex(self.engine, files, tools.sandbox, epoch_s=int(material.started_s))
        tools.log.append(
            "latex",
            engine=self.engine.name,
            style=self.style.name,
            passes=compiled.passes,
            seconds=compiled.seconds,
            errors=[f"{p.file}:{p.line}: {p.text}" for p in compiled.problems[:10]],
            missing=list(compiled.missing),
            undefined=list(undefined_keys(compiled.log)),
            plain=list(plain),
            draft=tools.round,
            sandbox=tools.sandbox.level,
        )
        return compiled


def compile_draft(tools: Tools, draft: Draft, material: Material, mend: Mend | None = None) -> Made:
    """Compile `draft` with the best engine that has what it needs, in the template's style where that works.

    Raises:
        MissingTool: there is no engine.
        LatexError: no engine makes a PDF of it.
    """
    why = "no PDF was made"
    for engine in engines():
        try:
            made, compiled = _with_engine(tools, engine, draft, material, mend)
        except LatexError as error:
            why = error.text
            continue
        if made:
            return made
        why = "; ".join(p.text for p in compiled.problems[:3]) or why
    raise LatexError("the paper did not compile", why, "see the latex events in events.jsonl")


def _with_engine(
    tools: Tools, engine: Engine, draft: Draft, material: Material, mend: Mend | None
) -> tuple[Made | None, Compiled]:
    own = template_style(material.template)
    if own is not None:
        press = _Press(tools, material, engine, own)
        styled = replace(draft, preamble=own.preamble)
        compiled = press.compile(styled)
        # A style that lacks something is not mended: ours is taken, and the audit says so.
        if compiled.ok and compiled.pdf:
            return Made(styled, compiled.pdf, engine.name, own, ()), compiled
    return _until_it_compiles(_Press(tools, material, engine, default_style()), draft, mend)


def _until_it_compiles(press: _Press, draft: Draft, mend: Mend | None) -> tuple[Made | None, Compiled]:
    degraded: list[str] = []
    compiled = press.compile(draft)
    for round_ in range(1, ROUNDS + _MOST_PLAIN_ROUNDS + 1):
        if compiled.ok:
            break
        if compiled.pdf is None and (compiled.missing or not compiled.problems):
            # The engine cannot work at all here; another may.
            return None, compiled
        changed = _changed(draft, compiled.problems, mend if round_ <= ROUNDS else None, round_, degraded)
        if not changed and round_ > ROUNDS:
            changed = _all_plain(draft, degraded)
        draft = draft.map_blocks(changed)
        compiled = press.compile(draft, degraded)
    if compiled.pdf is None:
        return None, compiled
    # Errors outside every paragraph (a figure that is no picture): a PDF with a flaw beats none, and the log has it.
    return Made(draft, compiled.pdf, press.engine.name, press.style, tuple(degraded)), compiled


def _changed(
    draft: Draft, problems: Sequence[LatexProblem], mend: Mend | None, round_: int, degraded: list[str]
) -> dict[str, Block]:
    """The paragraphs with errors, mended or set as plain text."""
    tex, blocks = render(draft), draft.blocks()
    named: dict[str, str] = {}
    for problem in problems:
        if problem.file in ("paper.tex", "") and problem.line and (name := paragraph_at(tex, problem.line)):
            named.setdefault(name, problem.text)
    changed: dict[str, Block] = {}
    for name, error in named.items():
        block = blocks.get(name)
        if block is None or not block.prose or name in degraded:
            continue
        mended = mend(name, block, error, round_) if mend and block.origin == "model" else None
        if mended is None:
            degraded.append(name)
            mended = replace(block, tex=as_plain(block.tex))
        changed[name] = mended
    return changed


def _all_plain(draft: Draft, degraded: list[str]) -> dict[str, Block]:
    changed = {}
    for name, block in draft.blocks().items():
        if block.prose and name not in degraded:
            degraded.append(name)
            changed[name] = replace(block, tex=as_plain(block.tex))
    return changed
