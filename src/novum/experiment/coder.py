"""The coder: turn a planned change into a commit, or say why not. No change, no run.

A small model rewrites one whole function whose signature is pinned; a large one writes SEARCH/REPLACE blocks or
whole files. Either way the change is checked before it is accepted: it parses, its imports exist, protected
files are untouched, and the program is another one than before (comments alone are no change).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from novum.edits import apply_reply, function_source, replace_function
from novum.edits.checks import check_sources
from novum.errors import AnswerError, EditError
from novum.experiment.workspace import Workspace
from novum.records import Idea, PlannedRun
from novum.tools import Question, Tools

_NO_EDIT = "the model gave no change that can be applied"


@dataclass(frozen=True)
class Coder:
    """Makes the edits of one study."""

    tools: Tools
    workspace: Workspace
    screen_code: Callable[[str, str], None]
    """Given the step and the change as text; raises Refused for code that must not be run."""

    def edit(self, idea: Idea, run: PlannedRun, base: str, *, attempt: int, trouble: str) -> str:
        """Commit the change that `run` asks for on top of `base` and return the new commit.

        `trouble` is what went wrong with the attempt before, for the model to mend.

        Raises:
            EditError: no acceptable change within the tries. Nothing was changed.
        """
        self.workspace.restore(base)
        step = f"experiment/{run.name}/edit" if attempt == 1 else f"experiment/{run.name}/fix_{attempt - 1}"
        make = self._function if run.function else self._files
        try:
            files = make(idea, run, step, trouble)
        except AnswerError as error:
            self.tools.log.note("edit_refused", step=step, run=run.name, reason=error.why or error.what)
            raise EditError(f"{step}: {_NO_EDIT}", error.why or error.what) from error
        self.screen_code(f"{step}/safety", "\n\n".join([run.edit, *self._changed_lines(files)]))
        for name, text in files.items():
            (self.workspace.folder / name).write_text(text, encoding="utf-8", newline="")
        commit = self.workspace.commit(step)
        diff = self.workspace.diff(base, commit)
        self.tools.log.note("edit_applied", step=step, run=run.name, commit=commit, diff=diff)
        return commit

    # -- one whole function ----------------------------------------------------------------------------

    def _function(self, _: Idea, run: PlannedRun, step: str, trouble: str) -> Mapping[str, str]:
        target = self.tools.template.function(run.function)
        source = (self.workspace.folder / target.file).read_text(encoding="utf-8")
        old = function_source(source, target.name)
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

        return {target.file: changed(self.tools.ask_text(question, check=check))}

    # -- any file --------------------------------------------------------------------------------------

    def _files(self, idea: Idea, run: PlannedRun, step: str, trouble: str) -> Mapping[str, str]:
        template = self.tools.template
        sources = {
            name: (self.workspace.folder / name).read_text(encoding="utf-8") for name in template.editable
        }
        question = Question(
            step=step,
            role="code",
            prompt="experiment_edit",
            inputs={"template": template, "idea": idea, "run": run, "sources": sources, "trouble": trouble},
            max_tokens=4000,
            temperature=0.3,
            retries=3,
        )

        def changed(reply: str) -> Mapping[str, str]:
            applied = apply_reply(
                reply, self.workspace.folder, editable=template.editable, protected=template.protected
            )
            return applied.files

        def check(reply: str) -> list[str]:
            try:
                return self._problems(changed(reply))
            except EditError as error:
                return [error.text]

        return changed(self.tools.ask_text(question, check=check))

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
        if not problems and not any(self._differs(name, text) for name, text in files.items()):
            problems.append("the program is the same as before: the change must alter what the code does")
        return problems

    def _differs(self, name: str, text: str) -> bool:
        path = self.workspace.folder / name
        if not path.exists():
            return True
        old = path.read_text(encoding="utf-8")
        return old != text if path.suffix != ".py" else program(old) != program(text)


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


def program(source: str) -> str:
    """What `source` does: its syntax tree without comments, layout and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)) and body:
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str):
                node.body = body[1:]
    return ast.dump(tree)
