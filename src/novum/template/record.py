"""A research template as every phase sees it: a runnable baseline, what may change in it, and what it measures.

The record holds the template's files too, so that the first event of a study holds all that a replay needs.
"""

from __future__ import annotations

import base64
import math
import os
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field, model_validator

from novum.records import Idea, Limits, Metric, Paper, Record
from novum.settings import Profile

Value = str | int | float


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False


class DeclaredMetric(Metric):
    """A metric as the template declares it; `label` is what figures and tables call it."""

    label: str = ""

    @property
    def title(self) -> str:
        return self.label or self.name.replace("_", " ")


class Parameter(Record):
    """An argument of the experiment that a plan may set without editing code. Bounds are inclusive."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    kind: Literal["int", "float", "choice"]
    default: Value
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    suggestions: tuple[Value, ...] = ()
    """Values worth trying, none of them the default."""
    changes_data: bool = False
    """Whether another value changes the data or the split, so that a run with it is not comparable."""
    flag: str = ""
    """The option as the script spells it, when that is not `--name`."""
    unit: str = ""
    label: str = ""
    description: str = ""

    @property
    def title(self) -> str:
        return self.label or self.name.replace("_", " ")

    @property
    def option(self) -> str:
        return self.flag or f"--{self.name}"

    def problem(self, value: Value) -> str:
        """Why the experiment cannot be given `value`, or ""."""
        if self.kind == "choice":
            return (
                ""
                if value in self.choices
                else f"{self.name} must be one of {', '.join(self.choices)}; not {value!r}"
            )
        if isinstance(value, (str, bool)) or not _is_finite(value):
            return f"{self.name} must be a number, and finite, not {str(value)[:40]!r}"
        if self.kind == "int" and value != int(value):
            return f"{self.name} must be a whole number, not {value!r}"
        low = -float("inf") if self.minimum is None else self.minimum
        high = float("inf") if self.maximum is None else self.maximum
        return "" if low <= value <= high else f"{self.name} must be from {low:g} to {high:g}, not {value!r}"

    @model_validator(mode="after")
    def _consistent(self) -> Parameter:
        if self.kind == "choice" and not self.choices:
            raise ValueError(f"the choice {self.name!r} lists no choices")
        for value in (self.default, *self.suggestions):
            if problem := self.problem(value):
                raise ValueError(problem)
        if self.default in self.suggestions:
            raise ValueError(f"{self.name} suggests its default {self.default!r}, which would change nothing")
        return self


class EditableFunction(Record):
    """A function that a study may rewrite as a whole, its signature pinned."""

    name: str
    file: str = ""
    description: str = ""
    changes: tuple[str, ...] = ()
    """Changes worth trying, in words."""
    signature: str = ""
    """The `def` line of the baseline."""
    source: str = ""
    """The whole function as it is in the baseline."""


class TemplateProfile(Record):
    """The scale of a run: extra arguments, number of seeds, limits."""

    arguments: dict[str, Value] = Field(default_factory=dict)
    seeds: int = Field(default=1, ge=1)
    limits: Limits = Limits()


class SeedEdit(Record):
    """A change of one function, in words."""

    function: str
    change: str


class SeedIdea(Record):
    """An example of an idea for this template."""

    name: str
    title: str
    hypothesis: str = ""
    plan: str = ""
    edits: tuple[SeedEdit, ...] = ()

    def idea(self) -> Idea:
        """As an idea of a study."""
        name = re.sub(r"[^a-z0-9_]+", "_", self.name.lower()).strip("_")[:60]
        name = name if name[:1].isalpha() else f"idea_{name}"[:60]
        hypothesis = self.hypothesis or self.title
        return Idea(name=name, title=self.title, hypothesis=hypothesis, plan=self.plan, source="default")


class ConfigValue(Record):
    """What `\\config{name}` stands for."""

    value: Value
    unit: str = ""
    description: str = ""


class CitationHint(Record):
    """Something that a paper about this template should cite: how to search for it, and works preferred for it."""

    topic: str
    query: str
    papers: tuple[str, ...] = ()
    """Ids of `Template.references`."""


class PaperFacts(Record):
    """Facts that the code may print in a paper: LaTeX, in which `\\config{name}` stands for a recorded value."""

    keywords: tuple[str, ...] = ()
    background: tuple[str, ...] = ()
    """Sentences about the field."""
    method: tuple[str, ...] = ()
    """Paragraphs about the model or the training, true of the baseline."""
    equations: str = ""
    equations_legend: str = ""
    setup: tuple[str, ...] = ()
    """Sentences about how runs are made and measured."""
    limitations: tuple[str, ...] = ()
    facts: dict[str, ConfigValue] = Field(default_factory=dict)
    """Values that are fixed in the code."""
    citations: tuple[CitationHint, ...] = ()


class Template(Record):
    """A research template, read and checked."""

    name: str
    folder: str = ""
    """Where it was read from; of no meaning to a replay."""
    declared: bool = True
    """False for a template without template.toml, for which `notes` name the defaults."""
    title: str
    domain: str = ""
    description: str = ""
    metrics: tuple[DeclaredMetric, ...] = ()
    primary_metric: str = ""
    parameters: tuple[Parameter, ...] = ()
    functions: tuple[EditableFunction, ...] = ()
    script: str = "experiment.py"
    seeds_argument: str = ""
    """The option that takes the seeds, or "" for a script that seeds itself."""
    plot: str = ""
    evaluate: str = ""
    """The program that computes the metrics from the saved outputs, or "" when a run reports them itself."""
    outputs: tuple[str, ...] = ()
    series: str = ""
    editable: tuple[str, ...] = ("experiment.py",)
    protected: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    """Files and folders that only the evaluator's sandbox holds: data on which a run must not train."""
    requirements: tuple[str, ...] = ()
    profiles: dict[Profile, TemplateProfile] = Field(default_factory=dict)
    baseline_seeds: int = 1
    paired_seeds: bool = False
    """Whether runs with the same seed share so much chance that their values pair."""
    system: str = ""
    task_description: str = ""
    seed_ideas: tuple[SeedIdea, ...] = ()
    paper: PaperFacts = PaperFacts()
    references: tuple[Paper, ...] = ()
    latex: bool = False
    """Whether it brings a style of its own (`latex/template.tex`)."""
    notes: tuple[str, ...] = ()
    """What is missing, and what is done instead."""
    texts: dict[str, str] = Field(default_factory=dict)
    binaries: dict[str, str] = Field(default_factory=dict)
    """Files that are not UTF-8, base64-encoded."""

    def parameter(self, name: str) -> Parameter | None:
        return next((p for p in self.parameters if p.name == name), None)

    def function(self, name: str) -> EditableFunction:
        """The editable function `name`.

        Raises:
            KeyError: the template declares none of that name.
        """
        for function in self.functions:
            if function.name == name:
                return function
        raise KeyError(name)

    def other_data(self, arguments: Mapping[str, Value], profile: Profile = "quick") -> str:
        """Why a run with `arguments` is measured on other data than the profile's baseline, or ""."""
        usual = {p.name: p.default for p in self.parameters} | self.profile(profile).arguments
        found = [
            p.name
            for p in self.parameters
            if p.changes_data and arguments.get(p.name, usual[p.name]) != usual[p.name]
        ]
        return f"{', '.join(found)} changes the data or the split" if found else ""

    def metric(self, name: str) -> DeclaredMetric | None:
        return next((m for m in self.metrics if m.name == name), None)

    # -- files -----------------------------------------------------------------------------------------

    def files(self) -> dict[str, str]:
        """The text files, by path relative to the template's folder."""
        return dict(self.texts)

    def contents(self) -> dict[str, bytes]:
        """All files, byte for byte."""
        texts = {name: text.encode() for name, text in self.texts.items()}
        return texts | {name: base64.b64decode(data) for name, data in self.binaries.items()}

    def content(self, name: str) -> bytes:
        """One file, byte for byte.

        Raises:
            KeyError: the template has no such file.
        """
        return self.texts[name].encode() if name in self.texts else base64.b64decode(self.binaries[name])

    def is_held_out(self, name: str) -> bool:
        """Whether the file `name` is held-out data, which no run may see."""
        return any(
            name == part.rstrip("/") or name.startswith(part.rstrip("/") + "/") for part in self.held_out
        )

    def run_contents(self) -> dict[str, bytes]:
        """What a run sees: all files but the held-out data."""
        return {name: data for name, data in self.contents().items() if not self.is_held_out(name)}

    def evaluation_files(self) -> tuple[str, ...]:
        """What the evaluator needs: the protected files, as the template ships them, and the held-out data."""
        present = self.texts.keys() | self.binaries.keys()
        held_out = sorted(name for name in present if self.is_held_out(name))
        wanted = dict.fromkeys((self.evaluate, *self.protected, *held_out))
        return tuple(name for name in wanted if name in present)

    # -- runs ------------------------------------------------------------------------------------------

    def profile(self, name: Profile) -> TemplateProfile:
        return self.profiles.get(name, TemplateProfile())

    def limits(self, profile: Profile) -> Limits:
        """What it states, else the defaults of this machine; never more memory than the machine has."""
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return self.profile(profile).limits.fitted(memory, os.cpu_count() or 1)

    def seeds(self, profile: Profile) -> tuple[int, ...]:
        """The seeds of every run; none for a script that seeds itself."""
        return tuple(range(self.profile(profile).seeds)) if self.seeds_argument else ()

    def argument_vector(
        self, arguments: Mapping[str, Value], profile: Profile, seeds: Sequence[int]
    ) -> list[str]:
        """The command line after `--out_dir`: the profile's arguments, overridden by `arguments`, and the seeds."""
        merged = {**self.profile(profile).arguments, **arguments}
        options = {p.name: p.option for p in self.parameters}
        vector = [f"{options.get(name, f'--{name}')}={value}" for name, value in merged.items()]
        if self.seeds_argument and seeds:
            vector += [self.seeds_argument, *map(str, seeds)]
        return vector

    def config(self, profile: Profile) -> dict[str, ConfigValue]:
        """What `\\config{name}` stands for in the baseline: facts, defaults of parameters, the profile's arguments."""
        values = dict(self.paper.facts)
        for p in self.parameters:
            values[p.name] = ConfigValue(value=p.default, unit=p.unit, description=p.description)
        for name, value in self.profile(profile).arguments.items():
            values[name] = values.get(name, ConfigValue(value=value)).model_copy(update={"value": value})
        values["seeds"] = ConfigValue(value=self.profile(profile).seeds, description="seeds of each run")
        return values

    def requirement_names(self) -> tuple[str, ...]:
        """Distribution names of the requirements, without versions."""
        return tuple(re.split(r"[^A-Za-z0-9._-]", r.strip(), maxsplit=1)[0] for r in self.requirements)

    def importable(self) -> frozenset[str]:
        """Top-level modules that the experiment may import: standard library, its own files, its requirements."""
        from novum.template.installing import importable_modules  # which builds on this record

        return importable_modules(self)
