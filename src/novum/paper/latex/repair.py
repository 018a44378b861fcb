"""Compile a draft until there is a PDF without errors.

An error is mapped to its paragraph. A paragraph of a frontier model goes back to it, twice at most; what still
fails is set as plain text, and at the end everything is. So a paper always compiles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from novum.errors import LatexError
from novum.paper.document import Block, Draft, paragraph_at, render
from novum.paper.latex.engine import Compiled, Engine, compile_tex, engines
from novum.paper.latex.log import LatexProblem
from novum.paper.latex.plain import as_plain
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
    degraded: tuple[str, ...]
    """Paragraphs that were set as plain text."""


def compile_draft(tools: Tools, draft: Draft, material: Material, mend: Mend | None = None) -> Made:
    """Compile `draft` with the best engine that has what it needs.

    Raises:
        MissingTool: there is no engine.
        LatexError: no engine makes a PDF of it.
    """
    last: Compiled | None = None
    for engine in engines():
        made, last = _with_engine(tools, engine, draft, material, mend)
        if made:
            return made
    problems = "; ".join(p.text for p in last.problems[:3]) if last else ""
    raise LatexError(
        "the paper did not compile", problems or "no PDF was made", "see the latex events in events.jsonl"
    )


def _with_engine(
    tools: Tools, engine: Engine, draft: Draft, material: Material, mend: Mend | None
) -> tuple[Made | None, Compiled]:
    degraded: list[str] = []
    compiled = _compile(tools, engine, draft, material)
    for round_ in range(1, ROUNDS + _MOST_PLAIN_ROUNDS + 1):
        if compiled.ok and compiled.pdf:
            return Made(draft, compiled.pdf, engine.name, tuple(degraded)), compiled
        if compiled.missing and not _own_fault(compiled):
            return None, compiled
        changed = _changed(draft, compiled.problems, mend if round_ <= ROUNDS else None, round_, degraded)
        if round_ == ROUNDS + _MOST_PLAIN_ROUNDS - 1 or not changed:
            changed = _all_plain(draft, degraded)
        draft = draft.map_blocks(changed)
        compiled = _compile(tools, engine, draft, material)
    if compiled.pdf and not compiled.missing:
        # Errors outside every paragraph (a figure that is no picture): a PDF with a flaw beats none, and is noted.
        return Made(draft, compiled.pdf, engine.name, tuple(degraded)), compiled
    return None, compiled


def _own_fault(compiled: Compiled) -> bool:
    return compiled.pdf is not None


def _compile(tools: Tools, engine: Engine, draft: Draft, material: Material) -> Compiled:
    files = {
        "paper.tex": render(draft).encode(),
        "numbers.tex": numbers_tex(material.results, material.facts).encode(),
    }
    for figure in material.figures:
        files[f"figures/{figure.file}.pdf"] = (tools.folder.figures / f"{figure.file}.pdf").read_bytes()
    compiled = compile_tex(engine, files, tools.sandbox, epoch_s=int(material.started_s))
    tools.log.append(
        "latex",
        engine=engine.name,
        passes=compiled.passes,
        seconds=compiled.seconds,
        errors=[f"{p.file}:{p.line}: {p.text}" for p in compiled.problems[:10]],
        missing=list(compiled.missing),
        sandbox=tools.sandbox.level,
    )
    return compiled


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
