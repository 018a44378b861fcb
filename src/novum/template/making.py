"""Make a template: a skeleton that passes, or one around a user's own training script."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

from novum.errors import TemplateError
from novum.template.clauses import Clause, Findings
from novum.template.declaration import DECLARATION
from novum.template.reading import read_template, shipped_folder
from novum.template.sources import Option, script_facts

_LIKELY = ("experiment.py", "train.py", "main.py", "run.py")
_RUN_OPTIONS = {"out_dir", "seed", "seeds", "help", "h"}
_IGNORED = shutil.ignore_patterns(".git", "__pycache__", "*.pyc", ".venv", "node_modules", "run_*")


class Adopted(NamedTuple):
    """A template made of a user's script, and what it must still say before it keeps its contract."""

    folder: Path
    parameters: tuple[str, ...]
    to_do: tuple[Clause, ...]


def new_template(folder: Path) -> Path:
    """Write a small template that keeps its contract to `folder`.

    Raises:
        TemplateError: the folder exists and is not empty.
    """
    _refuse_used(folder)
    shutil.copytree(shipped_folder("_skeleton"), folder, dirs_exist_ok=True, ignore=_IGNORED)
    return folder


def adopt(source: Path, folder: Path, script: str = "") -> Adopted:
    """Make a template in `folder` of a training script or of the folder that holds one. `source` stays as it is.

    The arguments of the script that have a number, or choices, as their default become parameters. What cannot be
    known from the code (metrics, their unit and direction) is left to be said.

    Raises:
        TemplateError: there is no script, or `folder` is not empty.
    """
    _refuse_used(folder)
    name = script or _main_script(source)
    if source.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / source.name)
    else:
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=_IGNORED, symlinks=True)
    facts = script_facts(
        {name: (folder / name).read_text(encoding="utf-8", errors="replace")}, name, Findings()
    )
    parameters = {n: o for n, o in facts.options.items() if n not in _RUN_OPTIONS and _kind(o)}
    seeds = "--seeds" if "seeds" in facts.options else ""
    if not (folder / DECLARATION).exists():
        (folder / DECLARATION).write_text(
            _declaration(source.stem, name, seeds, parameters), encoding="utf-8"
        )
    if not (folder / "prompt.json").exists():
        task = {
            "system": "You are a careful researcher.",
            "task_description": f"Improve on the baseline of {name}.",
        }
        (folder / "prompt.json").write_text(json.dumps(task, indent=2) + "\n", encoding="utf-8")
    _, clauses = read_template(folder)
    return Adopted(folder, tuple(parameters), tuple(clause for clause in clauses if not clause.ok))


def _refuse_used(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TemplateError(f"{folder} exists and is not empty", "", "name a folder that is not there yet")


def _main_script(source: Path) -> str:
    if source.is_file():
        return source.name
    found = [name for name in _LIKELY if (source / name).is_file()]
    if found:
        return found[0]
    scripts = sorted(p.name for p in source.glob("*.py")) if source.is_dir() else []
    if len(scripts) == 1:
        return scripts[0]
    raise TemplateError(
        f"cannot tell which script of {source} is the experiment",
        f"it has {', '.join(scripts[:10]) or 'no .py file'}",
        "name it with --script FILE",
    )


def _kind(option: Option) -> str:
    if isinstance(option.default, bool):
        return ""
    if isinstance(option.default, int):
        return "int"
    if isinstance(option.default, float):
        return "float"
    return "choice" if option.default in option.choices else ""


def _declaration(title: str, script: str, seeds: str, parameters: dict[str, Option]) -> str:
    lines = [
        "contract = 1",
        f"title = {json.dumps(title)}",
        "# Say what it is about, for ideas and for the paper:",
        'domain = ""',
        'description = ""',
        "# What the script imports beside the standard library, e.g. numpy>=2:",
        "requirements = []",
        "",
        "[experiment]",
        f"script = {json.dumps(script)}",
        f"seeds_argument = {json.dumps(seeds)}",
        "# A program that computes the metrics from what a run saves; without one they are marked self-reported:",
        'evaluate = ""',
        'plot = ""',
        "",
        "[files]",
        f"editable = [{json.dumps(script)}]",
        "protected = []",
        "",
        "[limits]",
        "wall_s = 3600.0",
        "",
        "# One table for each metric of final_info.json, with its unit and whether less or more is better:",
        "# [[metrics]]",
        '# name = "val_loss"',
        '# unit = "nats"',
        '# direction = "minimize"',
    ]
    for name, option in parameters.items():
        lines += ["", "[[parameters]]", f"name = {json.dumps(name)}", f"kind = {json.dumps(_kind(option))}"]
        lines.append(f"default = {json.dumps(option.default)}")
        if f"--{name}" not in option.flags:
            lines.append(f"flag = {json.dumps(option.flags[-1])}")
        if option.choices:
            others = [choice for choice in option.choices if choice != option.default]
            lines += [f"choices = {json.dumps(option.choices)}", f"suggestions = {json.dumps(others)}"]
        else:
            lines += ["# minimum = ", "# maximum = ", f"suggestions = {json.dumps(_around(option.default))}"]
    return "\n".join(lines) + "\n"


def _around(default: float | int) -> list[float | int]:
    """Half and double of a default, where they differ from it."""
    values = [default // 2, default * 2] if isinstance(default, int) else [default / 2, default * 2]
    return [value for value in values if value != default]
