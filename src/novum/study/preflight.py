"""What must be there before anything is spent: checked by `novum doctor`, and by `novum run` first of all.

No model is loaded, asked or paid for; a script that stands in for one is read, as the study will read it. All
checks together take well under three seconds.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from novum.errors import LatexError, MissingTool, NoSandbox, NovumError, TemplateError, UsageError
from novum.llm.checks import available_memory_bytes
from novum.llm.registry import check_model
from novum.paper.latex.engine import check_latex
from novum.records import Record
from novum.sandbox.open import UNSAFE, open_sandbox
from novum.settings import ROLES, Settings
from novum.template import Template, builtin_templates, read_template, template_folder

GIB = 1 << 30
_LEAST_MEMORY_BYTES = GIB
_OLDEST_PYTHON = (3, 11)


class CheckLine(Record):
    """One finding: what was looked at, what was found, and what to do when it is not right."""

    subject: str
    ok: bool
    found: str
    next_step: str = ""
    needed: bool = True
    """False for what a study can do without; it is told, and stops nothing."""

    @property
    def stops(self) -> bool:
        return self.needed and not self.ok


_ERRORS: dict[str, type[NovumError]] = {
    "workspace": UsageError,
    "template": TemplateError,
    "LaTeX": LatexError,
    "sandbox": NoSandbox,
}
"""What `require` raises for a subject; MissingTool for the others."""


def preflight(
    settings: Settings, *, template: str | Path = "", allow_unsafe: bool = False
) -> list[CheckLine]:
    """Check this machine for a study of `template` (of every template that ships, when none is named).

    It raises nothing: what goes wrong is a line.
    """
    templates, lines = _templates(template)
    return [
        _python(),
        _git(),
        *_models(settings),
        _latex(),
        _sandbox(settings, allow_unsafe),
        _workspace(settings),
        _memory(),
        _gpu(),
        *lines,
        *_packages(templates, needed=bool(template)),
    ]


def require(lines: Sequence[CheckLine]) -> None:
    """Stop here unless all that is needed is there.

    Raises:
        NovumError: of the kind of the first line that stops; its text names all of them.
    """
    stopping = [line for line in lines if line.stops]
    if not stopping:
        return
    kind = _ERRORS.get(stopping[0].subject, MissingTool)
    raise kind(
        "this machine is not ready for a study; nothing was begun",
        "\n        ".join(f"{line.subject}: {line.found}" for line in stopping),
        "\n        ".join(dict.fromkeys(line.next_step for line in stopping if line.next_step)),
    )


# -- the machine ---------------------------------------------------------------------------------------


def _python() -> CheckLine:
    return CheckLine(
        subject="Python",
        ok=sys.version_info >= _OLDEST_PYTHON,
        found=f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        next_step="install Python 3.11 or newer",
    )


def _git() -> CheckLine:
    program = shutil.which("git")
    return CheckLine(
        subject="git",
        ok=program is not None,
        found=program or "not on the PATH",
        next_step="install git; the code of a study is kept in a repository",
    )


def _workspace(settings: Settings) -> CheckLine:
    lab = settings.lab.absolute()
    there = next(folder for folder in (lab, *lab.parents) if folder.exists())
    elsewhere = "set NOVUM_LAB to a folder that can be written"
    try:
        # The mode bits do not tell of a read-only mount, nor bind root: only writing does.
        with tempfile.TemporaryFile(dir=there) as probe:
            probe.write(b"0")
        free = shutil.disk_usage(there).free
    except OSError as error:
        return CheckLine(
            subject="workspace", ok=False, found=f"{lab}: {error.strerror or error}", next_step=elsewhere
        )
    return CheckLine(
        subject="workspace",
        ok=free >= settings.reserve_gib * GIB,
        found=f"{lab}, {free / GIB:.1f} GiB free (at least {settings.reserve_gib:g} are kept free)",
        next_step=f"free some disk space, or {elsewhere}",
    )


def _memory() -> CheckLine:
    free = available_memory_bytes()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return CheckLine(
        subject="memory",
        ok=free >= _LEAST_MEMORY_BYTES,
        found=f"{free / GIB:.1f} GiB available, {cores} processor cores",
        next_step="close other programs; runs may be stopped for want of memory",
        needed=False,
    )


def _gpu() -> CheckLine:
    program = shutil.which("nvidia-smi")
    names: list[str] = []
    if program:
        command = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False)
            names = done.stdout.split("\n") if done.returncode == 0 else []
        except (OSError, subprocess.TimeoutExpired):
            names = []
    found = "; ".join(name.strip() for name in names if name.strip())
    return CheckLine(subject="GPU", ok=True, found=found or "none; nothing here needs one", needed=False)


# -- what a study uses ---------------------------------------------------------------------------------


def _models(settings: Settings) -> Iterator[CheckLine]:
    for name in dict.fromkeys(settings.models.for_role(role) for role in ROLES):
        for check in check_model(name, settings):
            yield CheckLine(
                subject="model", ok=check.ok, found=f"{name}: {check.text}", next_step=check.next_step
            )


def _latex() -> CheckLine:
    try:
        name, program = check_latex()
    except NovumError as error:
        return _failed("LaTeX", error)
    return CheckLine(subject="LaTeX", ok=True, found=f"{name}, {program}")


def _sandbox(settings: Settings, allow_unsafe: bool) -> CheckLine:
    try:
        sandbox = open_sandbox(
            UNSAFE if allow_unsafe else settings.sandbox.backend, allow_unsafe=allow_unsafe
        )
    except NovumError as error:
        return _failed("sandbox", error)
    return CheckLine(subject="sandbox", ok=True, found=sandbox.level)


def _failed(subject: str, error: NovumError) -> CheckLine:
    found = f"{error.what}: {error.why}" if error.why else error.what
    return CheckLine(subject=subject, ok=False, found=found, next_step=error.next_step)


def _templates(chosen: str | Path) -> tuple[list[Template], list[CheckLine]]:
    try:
        folders = [template_folder(chosen)] if str(chosen) else list(builtin_templates().values())
    except NovumError as error:
        return [], [_failed("template", error)]
    templates, lines = [], []
    for folder in folders:
        template, clauses = read_template(folder)
        broken = [str(clause) for clause in clauses if not clause.ok]
        lines.append(
            CheckLine(
                subject="template",
                ok=not broken,
                found=f"{folder.name}: " + ("; ".join(broken) or f"keeps all {len(clauses)} clauses"),
                next_step=f"mend it, then run `novum template check {chosen or folder.name}`",
            )
        )
        if template is not None:
            templates.append(template)
    return templates, lines


def _packages(templates: Sequence[Template], *, needed: bool) -> Iterator[CheckLine]:
    """Whether the packages of each template are there; `needed` when a study of just that one is meant."""
    from novum.experiment.environment import environment_for

    for template in templates:
        try:
            versions = environment_for(template).facts["packages"]
        except MissingTool as error:
            yield CheckLine(
                subject="packages", ok=False, found=error.what, next_step=error.next_step, needed=needed
            )
            continue
        listed = ", ".join(f"{name} {version}" for name, version in versions.items())
        yield CheckLine(subject="packages", ok=True, found=f"for {template.name}: {listed or 'none needed'}")
