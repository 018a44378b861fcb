"""Read a research template: a folder, or the name of one that ships with novum.

Every clause of the contract is looked at, so that one reading names all that is broken. A folder without
`template.toml` (the contract of the first AI Scientist) gets documented defaults, which its `notes` name.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from novum.errors import TemplateError
from novum.records import Paper
from novum.template.clauses import Clause, Findings
from novum.template.declaration import (
    DECLARATION,
    Declaration,
    line_of,
    plain_fields,
    read_declaration,
    resolved_profiles,
)
from novum.template.record import DeclaredMetric, EditableFunction, SeedEdit, SeedIdea, Template
from novum.template.rules import check_rules
from novum.template.sources import ScriptFacts, script_facts

_MOST_FILE_BYTES = 4 << 20
_MOST_FILES = 2000
_BASELINE_RECORD = "run_0/final_info.json"
_TEXTS = frozenset({".py", ".toml", ".json"})


def builtin_templates() -> dict[str, Path]:
    """The templates that ship with novum, by name."""
    declarations = sorted(shipped_folder(".").glob(f"*/{DECLARATION}"))
    return {p.parent.name: p.parent for p in declarations if not p.parent.name.startswith("_")}


def shipped_folder(name: str) -> Path:
    """The folder `name` among the templates that ship."""
    return Path(__file__).resolve().parent.parent / "templates" / name


def template_folder(path_or_name: str | Path) -> Path:
    """The folder that `path_or_name` means: a folder that exists, else a template that ships.

    Raises:
        TemplateError: it is neither.
    """
    folder = Path(path_or_name).expanduser()
    if folder.is_dir():
        return folder.resolve()
    shipped = builtin_templates()
    if str(path_or_name) in shipped:
        return shipped[str(path_or_name)]
    raise TemplateError(
        f"there is no template {str(path_or_name)!r}",
        "it is neither a folder nor one that ships with novum",
        f"use one of {', '.join(shipped)}, or make one with `novum template new FOLDER`",
    )


def load_template(path_or_name: str | Path, *, name: str = "") -> Template:
    """Read a template; `name` replaces the folder's as its name.

    Raises:
        TemplateError: there is none, or it breaks its contract; the message lists every broken clause.
    """
    folder = template_folder(path_or_name)
    template, clauses = read_template(folder, name=name)
    broken = [clause for clause in clauses if not clause.ok]
    if broken or template is None:
        raise TemplateError(
            f"the template {folder.name!r} breaks its contract in {len(broken)} place(s)",
            "\n        ".join(str(clause) for clause in broken),
            f"mend it, then run `novum template check {path_or_name}`",
        )
    return template


def read_template(folder: Path, *, name: str = "") -> tuple[Template | None, list[Clause]]:
    """Read the template in `folder` and hold it to every clause that can be checked without running it.

    The template is None when too much is broken to make one.
    """
    findings = Findings()
    texts, binaries = _read_files(folder, findings)
    declaration = read_declaration(texts, findings)
    if declaration is None:
        return None, findings.clauses
    facts = script_facts(texts, declaration.experiment.script, findings)
    prompt = _prompt(texts, findings)
    template = Template(
        name=name or folder.name,
        folder=str(folder),
        declared=DECLARATION in texts,
        **plain_fields(declaration),
        metrics=declaration.metrics or _discovered_metrics(texts, findings),
        functions=_functions(declaration, texts, facts, findings),
        profiles=resolved_profiles(declaration, findings),
        system=prompt.get("system", ""),
        task_description=prompt.get("task_description", ""),
        seed_ideas=_seed_ideas(texts, findings),
        references=_references(texts, findings),
        latex="latex/template.tex" in texts,
        notes=tuple(findings.notes),
        texts=texts,
        binaries=binaries,
    )
    check_rules(template, facts, findings)
    return template.model_copy(update={"notes": tuple(findings.notes)}), findings.clauses


# -- files -----------------------------------------------------------------------------------------------


def _read_files(folder: Path, findings: Findings) -> tuple[dict[str, str], dict[str, str]]:
    texts: dict[str, str] = {}
    binaries: dict[str, str] = {}
    for path in _walk(folder, findings):
        name = path.relative_to(folder).as_posix()
        data = path.read_bytes()
        try:
            texts[name] = data.decode()
        except UnicodeDecodeError as error:
            if path.suffix not in _TEXTS:
                binaries[name] = base64.b64encode(data).decode()
                continue
            findings.broken(
                "Python, TOML and JSON files are UTF-8 text",
                name,
                f"byte {error.start} is {data[error.start]:#04x}: save the file as UTF-8",
                line=data.count(b"\n", 0, error.start) + 1,
            )
            texts[name] = data.decode(errors="replace")  # so that the other clauses are looked at too
    return texts, binaries


def _walk(folder: Path, findings: Findings) -> Iterator[Path]:
    paths = [p for p in sorted(folder.rglob("*")) if _is_part(p.relative_to(folder))]
    kept = 0
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            findings.note(f"{name} is a symbolic link and is left out")
        elif path.is_file() and path.stat().st_size > _MOST_FILE_BYTES:
            findings.note(f"{name} is larger than {_MOST_FILE_BYTES >> 20} MiB and is left out")
        elif path.is_file():
            kept += 1
            if kept > _MOST_FILES:
                findings.broken(
                    "a template is a small folder",
                    name,
                    f"keep it under {_MOST_FILES} files; move data elsewhere",
                )
                return
            yield path


def _is_part(relative: Path) -> bool:
    top, *_ = relative.parts
    if relative.as_posix() == _BASELINE_RECORD:
        return True
    hidden = any(part.startswith(".") or part == "__pycache__" for part in relative.parts)
    return not hidden and not top.startswith("run_")


# -- parts -----------------------------------------------------------------------------------------------


def _functions(
    d: Declaration, texts: dict[str, str], facts: ScriptFacts, findings: Findings
) -> tuple[EditableFunction, ...]:
    found = []
    for function in d.functions:
        file = function.file or d.experiment.script
        known = facts if file == d.experiment.script else script_facts(texts, file, findings)
        part = known.functions.get(function.name)
        if part is None:
            findings.broken(
                "an editable function exists once, at the top level of its file",
                DECLARATION,
                f"{file} defines no function {function.name!r}; correct the name or the file",
                line=line_of(texts[DECLARATION], f'"{function.name}"'),
            )
            continue
        found.append(
            function.model_copy(update={"file": file, "signature": part.signature, "source": part.source})
        )
    return tuple(found)


def _discovered_metrics(texts: dict[str, str], findings: Findings) -> tuple[DeclaredMetric, ...]:
    try:
        info = json.loads(texts[_BASELINE_RECORD])
        names = [name for entry in info.values() for name in entry["means"]]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        findings.note("no readable run_0/final_info.json: the metrics are those of the first baseline run")
        return ()
    unique = dict.fromkeys(name.removesuffix("_mean") for name in names)
    return tuple(DeclaredMetric(name=name, self_reported=True) for name in unique)


def _prompt(texts: dict[str, str], findings: Findings) -> dict[str, str]:
    value = _json(texts, "prompt.json", findings)
    if value is None:
        return {}
    wanted = ("system", "task_description")
    if isinstance(value, dict) and all(isinstance(value.get(k), str) for k in wanted):
        findings.kept("prompt.json has system and task_description", "prompt.json")
        return value
    findings.broken(
        "prompt.json has system and task_description",
        "prompt.json",
        "add both, as strings, to one JSON object",
    )
    return {}


def _seed_ideas(texts: dict[str, str], findings: Findings) -> tuple[SeedIdea, ...]:
    value = _json(texts, "seed_ideas.json", findings)
    if value is None:
        return ()
    ideas = []
    for number, entry in enumerate(value if isinstance(value, list) else [value], start=1):
        try:
            edits = tuple(SeedEdit.model_validate(edit) for edit in entry.get("Edits", ()))
            ideas.append(
                SeedIdea(
                    name=entry["Name"],
                    title=entry["Title"],
                    hypothesis=entry.get("Hypothesis", ""),
                    plan=entry["Experiment"],
                    edits=edits,
                )
            )
        except (KeyError, TypeError, AttributeError, ValidationError) as error:
            findings.broken(
                "each seed idea has Name, Title and Experiment",
                "seed_ideas.json",
                f"mend idea {number}: {type(error).__name__}: {str(error)[:200]}",
            )
    return tuple(ideas)


def _references(texts: dict[str, str], findings: Findings) -> tuple[Paper, ...]:
    if "references.json" not in texts:
        return ()
    value = _json(texts, "references.json", findings)
    papers = []
    for number, entry in enumerate(value if isinstance(value, list) else [], start=1):
        try:
            papers.append(Paper.model_validate(entry))
        except ValidationError as error:
            findings.broken(
                "each reference is a work with id, title and authors",
                "references.json",
                f"mend reference {number}: {error.errors()[0]['msg']}",
            )
    return tuple(papers)


def _json(texts: dict[str, str], name: str, findings: Findings) -> Any:
    if name not in texts:
        findings.note(f"no {name}: the task is described by the title and the code alone")
        return None
    try:
        return json.loads(texts[name])
    except (ValueError, RecursionError) as error:
        findings.broken(
            f"{name} is JSON", name, f"mend the syntax: {error}", line=getattr(error, "lineno", None)
        )
        return None
