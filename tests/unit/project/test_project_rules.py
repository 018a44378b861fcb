"""Rules of the design that no linter has: what importing costs, what is documented, which events exist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from novum.cli import app
from novum.events import KINDS

HEAVY = (
    "numpy",
    "scipy",
    "matplotlib",
    "pydantic",
    "pydantic_ai",
    "sqlalchemy",
    "httpx2",
    "jinja2",
    "xllamacpp",
    "rich",
)

PROGRAMS = ("novum.templates", "novum.sandbox.inside")
"""Files that are run as programs inside a sandbox, and imported by nothing."""


def leaves(command: Any, path: str = "novum") -> list[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if not children:
        return [(path, command)]
    return [leaf for name, child in children.items() for leaf in leaves(child, f"{path} {name}")]


COMMANDS = leaves(typer.main.get_command(app))


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )


def test_the_command_line_starts_without_anything_heavy() -> None:
    code = f"import json, sys, novum.cli; print(json.dumps([n for n in {HEAVY!r} if n in sys.modules]))"
    assert json.loads(run(code).stdout) == []


def test_importing_any_module_prints_nothing_and_starts_nothing() -> None:
    code = (
        "import importlib, pkgutil, threading, sys, novum\n"
        "for m in pkgutil.walk_packages(novum.__path__, 'novum.'):\n"
        f"    if not m.name.startswith({PROGRAMS!r}) and not m.name.endswith('__main__'):\n"
        "        importlib.import_module(m.name)\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
    )
    done = run(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_every_command_and_option_says_what_it_is(path: str, command: Any) -> None:
    assert command.help and command.help.strip()
    assert [p.name for p in command.params if not p.help] == []


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_every_command_can_answer_in_json(path: str, command: Any) -> None:
    assert "--json" in [option for p in command.params for option in p.opts]


def emitted(root: Path) -> set[str]:
    """Kinds of events that the code writes."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (root / "src" / "novum").rglob("*.py"))
    return set(re.findall(r"\b_?log\.(?:append|note)\(\s*\"(\w+)\"", code)) | set(
        re.findall(r"self\.append\(\"(\w+)\"", code)
    )


def test_every_event_that_the_code_writes_is_documented(root: Path) -> None:
    found = emitted(root)
    assert len(found) > 10
    assert found <= set(KINDS)


def test_links_between_the_documents_lead_somewhere(root: Path) -> None:
    broken = []
    for page in [*root.glob("*.md"), *(root / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if (
                "://" not in target
                and not target.startswith("mailto:")
                and not (page.parent / target).exists()
            ):
                broken.append(f"{page.relative_to(root)} -> {target}")
    assert broken == []


def test_every_page_can_be_found_from_the_index(root: Path) -> None:
    linked = set(re.findall(r"\]\(([^)#]+)", (root / "docs" / "index.md").read_text(encoding="utf-8")))
    pages = {str(page.relative_to(root / "docs")) for page in (root / "docs").rglob("*.md")}
    assert pages - linked - {"index.md"} == set()
