"""What a template says that an idea is made from: its task, and what can be changed and measured."""

from __future__ import annotations

from typing import Literal, NamedTuple

from novum.template import Parameter, Template


class Subject(NamedTuple):
    """Something that an idea can be about. `values` are the settings that a default idea would sweep."""

    name: str
    kind: Literal["parameter", "function"]
    label: str
    """What prose calls it."""
    description: str
    values: tuple[str, ...] = ()
    ordered: bool = True
    """False for a choice among names, which cannot be increased."""


class Earlier(NamedTuple):
    """An idea that exists already: in the archive, or among the template's seed ideas."""

    title: str
    hypothesis: str

    @property
    def text(self) -> str:
        return f"{self.title}. {self.hypothesis}"


class Facts(NamedTuple):
    """The template, as far as ideation is concerned."""

    title: str
    domain: str
    task: str
    subjects: tuple[Subject, ...]
    metrics: tuple[str, ...]
    seed_ideas: tuple[Earlier, ...]

    @property
    def parameters(self) -> tuple[Subject, ...]:
        return tuple(s for s in self.subjects if s.kind == "parameter")


def facts_of(template: Template) -> Facts:
    """What ideation needs of `template`."""
    parameters = tuple(
        Subject(
            name=p.name,
            kind="parameter",
            label=p.title,
            description=f"{p.description or p.title} ({_range(p)}; baseline {p.default})",
            values=tuple(str(value) for value in p.suggestions),
            ordered=p.kind != "choice",
        )
        for p in template.parameters
    )
    functions = tuple(
        Subject(f.name, "function", f.name.replace("_", " "), f.description) for f in template.functions
    )
    return Facts(
        title=template.title,
        domain=template.domain,
        task=" ".join((template.description or template.task_description).split()),
        subjects=parameters + functions,
        metrics=tuple(m.title for m in template.metrics),
        seed_ideas=tuple(Earlier(idea.title, idea.hypothesis) for idea in template.seed_ideas),
    )


def _range(parameter: Parameter) -> str:
    if parameter.kind == "choice":
        return "one of " + ", ".join(parameter.choices)
    low, high = parameter.minimum, parameter.maximum
    bounds = f"from {'any' if low is None else f'{low:g}'} to {'any' if high is None else f'{high:g}'}"
    return f"{bounds} {parameter.unit}".rstrip()
