"""The coder: turn a planned change into a commit, or say why not. No change, no run.

A small model rewrites one whole function whose signature is pinned; a large one writes SEARCH/REPLACE blocks or
whole files. Either way the change is checked before it is accepted: it parses, its imports exist, protected
files are untouched, and the program is another one than before and than the baseline (comments and new names
alone are no change). Then a second opinion says whether the change does what its plan says.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from novum.edits import Applied, apply_reply, function_source, replace_function
from novum.edits.checks import check_sources
from novum.edits.programs import imported_names, same_but_for_names, same_program
from novum.errors import AnswerError, EditError
from novum.experiment.datapath import touches_data
from novum.experiment.judging import judge_edit
from novum.experiment.measuring import touches_metric
from novum.experiment.workspace import Workspace
from novum.records import Idea, Implemented, Metric, PlannedRun
from novum.tools import Question, Tools

_NO_EDIT = "the model gave no change that can be applied"


class Edit(NamedTuple):
    """The state of the code that a run executes, and what is known of the change that led to it."""

    commit: str
    not_comparable: str = ""
    """Why its metrics, or the data they are measured on, are not the baseline's; "" when they are."""
    implemented: Implemented = ""
    reason: str = ""
    """What the second opinion says."""


@dataclass(frozen=True)
class Made:
    """The files that a model changed, checked, and what the event of the change holds beside its diff."""

    files: Mapping[str, str]
    noted: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Coder:
    """Makes the edits of one study."""

    tools: Tools
    workspace: Workspace
    screen_code: Callable[[str, str], None]
    """Given the step and the change as text; raises Refused for code that must not be run."""
    extra: tuple[Metric, ...] = ()
    """Metrics of the plan beside the template's, which changed code may report."""

    def edit(self, idea: Idea, run: PlannedRun, base: str, *, attempt: int, trouble: str) -> Edit:
        """Commit the change that `run` asks for on top of `base`, and have it judged.

        `trouble` is what went wrong with the attempt before, for the model to mend.

        Raises:
            EditError: no acceptable change within the tries. Nothing was changed.
        """
        self.workspace.restore(base)
        step = f"experiment/{run.name}/edit" if attempt == 1 else f"experiment/{run.name}/fix_{attempt - 1}"
        try:
            made = self._made(idea, run, step, trouble)
        except AnswerError as error:
            self.tools.log.note("edit_refused", step=step, run=run.name, reason=error.why or error.what)
            raise EditError(f"{step}: {_NO_EDIT}", error.why or error.what) from error
        self.screen_code(f"{step}/safety", "\n\n".join([run.edit, *self._changed_lines(made.files)]))
        for name, text in made.files.items():
            (self.workspace.folder / name).write_text(text, encoding="utf-8", newline="")
        commit = self.workspace.commit(step)
        diff = self.workspace.diff(base, commit)
        self.tools.log.note("edit_applied", step=step, run=run.name, commit=commit, diff=diff, **made.noted)
        judged = judge_edit(
            self.tools, run, self.workspace.diff(self.workspace.baseline, commit), f"{step}/judge"
        )
        self.tools.log.note("edit_judged", step=step, run=run.name, commit=commit, **judged._asdict())
        return Edit(commit, self._touched(), judged.verdict, judged.reason)

    def _made(self, idea: Idea, run: PlannedRun, step: str, trouble: str) -> Made:
        return (self._function if run.function else self._files)(idea, run, step, trouble)

    def _touched(self) -> str:
        """Why a run of the code is not comparable with the baseline, judged by what the changed files do."""
        template = self.tools.template
        names, changeable = {m.name for m in template.metrics}, {f.name for f in template.functions}
        protected = {n: template.texts.get(n, "") for n in template.protected if n.endswith(".py")}
        for old, new in self._changed_scripts():
            if template.evaluate:
                why = touches_data(old, new, protected)
            else:
                why = touches_metric(old, new, names, changeable)
            if why:
                return why
        return ""

    def _changed_scripts(self) -> Iterator[tuple[str, str]]:
        """The Python files that are not the template's any more, before and now; the plot script apart."""
        template, folder = self.tools.template, self.workspace.folder
        for path in sorted(p for p in folder.rglob("*.py") if p.is_file()):
            name = path.relative_to(folder).as_posix()
            old = template.texts.get(name, "")
            if name not in (template.plot, *template.protected) and path.read_bytes() != old.encode():
                yield old, _text(path)

    # -- one whole function ----------------------------------------------------------------------------

    def _function(self, _: Idea, run: PlannedRun, step: str, trouble: str) -> Made:
        target = self.tools.template.function(run.function)
        source = _text(self.workspace.folder / target.file)
        old = function_source(source, target.name).replace("\r\n", "\n")
        head = definition_line(old)
        question = Question(
            step=step,
            role="code",
            prompt="experiment_function",
            inputs={
                "template": self.tools.template,
                "run": run,
                "function": target,
                "old": old,
                "head": head,
                "imported": imported_names(source, without=self._plumbing()),
                "trouble": trouble,
            },
            max_tokens=500,
            temperature=0.3,
            retries=3,
            prefill=f"```python\n{head}\n",
        )

        def changed(reply: str) -> str:
            return replace_function(source, target.name, fenced(reply))

        def check(reply: str) -> list[str]:
            try:
                return self._problems({target.file: changed(reply)})
            except EditError as error:
                return [error.text]

        return Made({target.file: changed(self.tools.ask_text(question, check=check))})

    def _plumbing(self) -> set[str]:
        """Modules of the script that a rewritten function has no use for."""
        own = {Path(name).stem for name in self.tools.template.protected}
        return {"argparse", "json", "os", "sys", "pathlib", "time", *own}

    # -- any file --------------------------------------------------------------------------------------

    def _files(self, idea: Idea, run: PlannedRun, step: str, trouble: str) -> Made:
        template = self.tools.template
        sources = {
            name: _text(self.workspace.folder / name) for name in template.editable if name in template.texts
        }
        question = Question(
            step=step,
            role="code",
            prompt="experiment_edit",
            inputs={
                "template": template,
                "idea": idea,
                "run": run,
                "sources": sources,
                "extra": self.extra,
                "trouble": trouble,
            },
            max_tokens=4000,
            temperature=0.3,
            retries=3,
        )

        def changed(reply: str) -> Applied:
            return apply_reply(
                reply, self.workspace.folder, editable=template.editable, protected=template.protected
            )

        def check(reply: str) -> list[str]:
            try:
                return self._problems(changed(reply).files)
            except EditError as error:
                return [error.text]

        applied = changed(self.tools.ask_text(question, check=check))
        return Made(applied.files, {"inexact": list(applied.inexact)} if applied.inexact else {})

    def _changed_lines(self, files: Mapping[str, str]) -> list[str]:
        """The lines of `files` that are new, file by file."""
        changed = []
        for name, text in files.items():
            path = self.workspace.folder / name
            old = set(path.read_text(encoding="utf-8").splitlines()) if path.exists() else set()
            changed.append("\n".join(line for line in text.splitlines() if line not in old))
        return changed

    def _problems(self, files: Mapping[str, str]) -> list[str]:
        available = self.tools.template.importable()
        problems = check_sources(files, available, self.workspace.folder)
        if not problems and not self._changes(files):
            problems.append("the program is the same as before: the change must alter what the code does")
        if not problems and self._is_baseline(files):
            problems.append(
                "the program is the baseline's again: the change that was asked for must be in it"
            )
        return problems

    def _changes(self, files: Mapping[str, str]) -> bool:
        """Whether any of `files` is another program than now, and not by its names alone."""
        folder = self.workspace.folder
        return any(
            not (folder / name).exists() or not _alike(name, _text(folder / name), text)
            for name, text in files.items()
        )

    def _is_baseline(self, files: Mapping[str, str]) -> bool:
        """Whether every file would be as the template has it."""
        texts = self.tools.template.texts
        present = {
            name: _text(self.workspace.folder / name)
            for name in texts
            if name in self.tools.template.editable
        }
        after = {**present, **files}
        return all(name in texts and _alike(name, texts[name], text) for name, text in after.items())


def _alike(name: str, old: str, new: str) -> bool:
    if not name.endswith(".py"):
        return old == new
    try:
        return same_program(old, new) or same_but_for_names(old, new)
    except SyntaxError:  # too deep to be compared otherwise than letter by letter
        return old == new


def _text(path: Path) -> str:
    """A file of the template, with its line ends as they are."""
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise EditError(f"{path.name} cannot be read as UTF-8 text", str(error)[:200]) from error


def fenced(reply: str) -> str:
    """The code of the first fenced block of `reply`, or all of it where there is no fence."""
    _, fence, rest = reply.partition("```")
    if not fence:
        return reply
    first_line, _, body = rest.partition("\n")
    code = body if first_line.strip().lower() in {"", "python", "py"} else rest
    return code.partition("```")[0]


def definition_line(source: str) -> str:
    """The `def` line (or lines) of a function's source."""
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    lines = source.splitlines()
    start = node.lineno - 1
    return "\n".join(lines[start : max(start + 1, node.body[0].lineno - 1)])
