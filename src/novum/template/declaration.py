"""template.toml: its shape, and the defaults of a template that has none."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from novum.records import Limits, Record
from novum.settings import Profile
from novum.template.clauses import Findings
from novum.template.record import (
    DeclaredMetric,
    EditableFunction,
    PaperFacts,
    Parameter,
    TemplateProfile,
    Value,
)

DECLARATION = "template.toml"


class _Experiment(Record):
    script: str = "experiment.py"
    seeds_argument: str = ""
    plot: str = "plot.py"
    evaluate: str = ""
    outputs: tuple[str, ...] = ()
    series: str = ""


class _Files(Record):
    editable: tuple[str, ...] = ("experiment.py", "plot.py")
    protected: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()


class _Profile(Record):
    seeds: int = Field(default=1, ge=1)
    arguments: dict[str, Value] = Field(default_factory=dict)
    limits: dict[str, float] = Field(default_factory=dict)


class Declaration(Record):
    """The shape of template.toml."""

    contract: Literal[1] = 1
    title: str
    domain: str = ""
    description: str = ""
    primary_metric: str = ""
    requirements: tuple[str, ...] = ()
    baseline_seeds: int = Field(default=3, ge=1)
    paired_seeds: bool = False
    experiment: _Experiment = _Experiment()
    files: _Files = _Files()
    limits: dict[str, float] = Field(default_factory=dict)
    profiles: dict[Profile, _Profile] = Field(default_factory=dict)
    metrics: tuple[DeclaredMetric, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    functions: tuple[EditableFunction, ...] = ()
    paper: PaperFacts = PaperFacts()


def read_declaration(texts: Mapping[str, str], findings: Findings) -> Declaration | None:
    text = texts.get(DECLARATION)
    if text is None:
        findings.note(
            f"no {DECLARATION}: metrics are those of run_0/final_info.json, without direction, and self-reported; "
            "every file may be edited; one seed; no parameters; limits of one hour and 8 GiB"
        )
        title = "Research template"
        return Declaration(
            title=title,
            files=_Files(editable=tuple(n for n in ("experiment.py", "plot.py") if n in texts)),
            limits={"wall_s": 3600.0, "memory_bytes": 8 << 30},
            baseline_seeds=1,
        )
    try:
        said = tomllib.loads(text)
    except (
        ValueError,
        RecursionError,
    ) as error:  # also a number of thousands of digits, and endless brackets
        findings.broken(
            f"{DECLARATION} is TOML", DECLARATION, f"mend the syntax: {error}", line=_line_in(str(error))
        )
        return None
    try:
        declaration = Declaration.model_validate(said)
    except ValidationError as error:
        for problem in error.errors():
            where = ".".join(map(str, problem["loc"]))
            findings.broken(
                f"{DECLARATION} says what the contract allows",
                DECLARATION,
                f"{where}: {problem['msg']}",
                line=_line_of_location(text, problem["loc"]),
            )
        return None
    findings.kept(f"{DECLARATION} says what the contract allows", DECLARATION)
    return declaration


def plain_fields(d: Declaration) -> dict[str, Any]:
    """The fields of a declaration that a template takes over as they are."""
    same = (
        "title",
        "domain",
        "description",
        "requirements",
        "baseline_seeds",
        "paired_seeds",
        "parameters",
        "paper",
    )
    flat = {name: getattr(d, name) for name in same}
    flat |= d.experiment.model_dump() | d.files.model_dump()
    metric = d.primary_metric or (d.metrics[0].name if d.metrics else "")
    return flat | {"primary_metric": metric}


def resolved_profiles(d: Declaration, findings: Findings) -> dict[Profile, TemplateProfile]:
    profiles: dict[Profile, TemplateProfile] = {}
    names: tuple[Profile, ...] = ("quick", "full")
    for name in names:
        own = d.profiles.get(name, _Profile(seeds=d.baseline_seeds))
        try:
            limits = Limits.model_validate({**d.limits, **own.limits})
        except ValidationError as error:
            problems = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())
            findings.broken("limits are those that the sandbox knows", DECLARATION, problems)
            limits = Limits()
        profiles[name] = TemplateProfile(arguments=own.arguments, seeds=own.seeds, limits=limits)
    return profiles


# -- lines -----------------------------------------------------------------------------------------------


def line_of(text: str, needle: str) -> int | None:
    """The first line of `text` that has `needle`, from 1; None when there is none."""
    return next((n for n, line in enumerate(text.splitlines(), start=1) if needle in line), None)


def _line_in(message: str) -> int | None:
    _, _, rest = message.partition("at line ")
    digits = rest.split(",")[0].split(" ")[0].rstrip(")")
    return int(digits) if digits.isdigit() else None


def _line_of_location(text: str, location: tuple[int | str, ...]) -> int | None:
    """Where a key of TOML stands: the n-th table of an array, then the key in it."""
    lines = text.splitlines()
    start = 0
    for part, following in zip(location, (*location[1:], None), strict=True):
        if isinstance(part, int):
            continue
        if isinstance(following, int):
            headers = [n for n, line in enumerate(lines) if line.strip() == f"[[{part}]]"]
            start = headers[following] if following < len(headers) else start
            continue
        for number in range(start, len(lines)):
            if lines[number].strip().startswith((f"{part} =", f"{part}=", f"[{part}", f"[profiles.{part}")):
                start = number
                break
    return start + 1 if lines else None
