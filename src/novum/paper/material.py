"""What a paper is written from: the study's artifacts, read once, and every fact that prose may name by key."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from novum.errors import StudyError
from novum.events import Event, EventLog
from novum.literature.tex import escape
from novum.paper.costs import cost_facts
from novum.paper.numbers import Fact
from novum.paper.unbound import declared_phrases
from novum.records import Comparison, Figure, Idea, Novelty, Result, Results, Run
from novum.store import StudyFolder
from novum.template import EditableFunction, Template

BASELINE = "run_0"
ALPHA = 0.05
INDEX_WORKS = "literature/index_works"
"""The fact how many works the index on this machine held."""
_ASKING = frozenset(["when", "how", "which", "what", "whether", "where", "who", "whom", "why"])
_REASON_CHARS = 160
_CHANGE_CHARS = 240


@dataclass(frozen=True)
class Material:
    """The study so far. Nothing here comes from a clock or from chance."""

    idea: Idea
    results: Results
    figures: tuple[Figure, ...]
    template: Template
    created: Mapping[str, Any]
    """The data of the event `study_created`."""
    started_s: float
    asked: str = ""
    """The primary metric that was fixed before run 1, or "" when the study fixed none."""
    diffs: Mapping[str, str] = field(default_factory=dict)
    """Run to the diff of its accepted edits."""

    @property
    def day(self) -> str:
        """The day on which the study began, in UTC: `21 November 2026`."""
        return time.strftime("%d %B %Y", time.gmtime(self.started_s)).lstrip("0")

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the language models that the study used, each once."""
        return tuple(dict.fromkeys(str(m) for m in self.created.get("models", {}).values()))

    @property
    def versions(self) -> Mapping[str, str]:
        return {str(k): str(v) for k, v in self.created.get("versions", {}).items()}

    @cached_property
    def baseline(self) -> Run:
        return next(run for run in self.results.runs if run.name == BASELINE)

    @cached_property
    def others(self) -> tuple[Run, ...]:
        """Every run but the baseline, in the order in which they were made."""
        return tuple(run for run in self.results.runs if run.name != BASELINE)

    @cached_property
    def valid(self) -> tuple[Run, ...]:
        return tuple(run for run in self.others if run.status == "ok")

    @cached_property
    def declared(self) -> tuple[str, ...]:
        """Phrases of the template that hold a number and may stand as they are; LaTeX."""
        return declared_phrases(self.template)

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """Everything that `\\config{...}` may name."""
        return tuple(_facts(self))

    @cached_property
    def series(self) -> tuple[tuple[str, str], ...]:
        """(dataset, metric) of every result, the primary metric first, then as the template declares them."""
        found = dict.fromkeys((r.dataset, r.metric) for r in self.results.results)
        order = [m.name for m in self.template.metrics]

        def rank(pair: tuple[str, str]) -> tuple[bool, int]:
            return pair[1] != self.primary, order.index(pair[1]) if pair[1] in order else len(order)

        return tuple(sorted(found, key=rank))

    @cached_property
    def primary(self) -> str:
        """The primary metric: the one fixed before run 1, else the template's, else the first that has results."""
        names = [r.metric for r in self.results.results]
        known = [m for m in (self.asked, self.template.primary_metric) if m in names]
        return (known or names or [""])[0]

    @cached_property
    def named(self) -> tuple[str, ...]:
        """Metrics that the hypothesis names, or the primary one when it names none."""
        text = self.idea.hypothesis.lower().replace("_", " ")
        found = []
        # Longer names first, so that a name inside another one is not taken for it.
        for metric in sorted({m for _, m in self.series}, key=lambda m: -len(self._title(m))):
            if self._title(metric) in text:
                text = text.replace(self._title(metric), " ")
                found.append(metric)
        return tuple(m for _, m in self.series if m in found) or (self.primary,)

    def _title(self, metric: str) -> str:
        declared = self.template.metric(metric)
        return (declared.title if declared else metric.replace("_", " ")).lower()

    @cached_property
    def several_datasets(self) -> bool:
        return len({r.dataset for r in self.results.results}) > 1

    def result(self, run: str, dataset: str, metric: str) -> Result | None:
        return self.results.by_key(f"{run}/{dataset}/{metric}")

    def comparison(self, run: str, dataset: str, metric: str) -> Comparison | None:
        """The comparison of a run with the baseline."""
        return self.results.comparison(f"{run}/{dataset}/{metric}", f"{BASELINE}/{dataset}/{metric}")

    def metric_label(self, metric: str, dataset: str = "") -> str:
        """What prose calls a metric, with the dataset where there are several; LaTeX.

        Names that nobody declared for prose are set as names, for they may hold digits.
        """
        declared = self.template.metric(metric)
        label = escape(declared.title) if declared else rf"\texttt{{{escape(metric)}}}"
        return rf"{label} on \texttt{{{escape(dataset)}}}" if dataset and self.several_datasets else label

    def metric_unit(self, metric: str) -> str:
        return next((r.unit for r in self.results.results if r.metric == metric), "")

    def edited_function(self, run: Run) -> EditableFunction | None:
        """The declared function that an edited run changed, as far as its diff or its words tell."""
        diff = self.diffs.get(run.name, "") + run.change
        return next((f for f in self.template.functions if f.name in diff), None)

    def edited_part(self, run: Run) -> str:
        """What prose calls the edited part of the code: `the contact multiplier`; LaTeX."""
        function = self.edited_function(run)
        return escape(f"the {function.name.replace('_', ' ')}") if function else "the code of the experiment"

    def parameter_label(self, name: str) -> str:
        """What prose calls a parameter; LaTeX."""
        parameter = self.template.parameter(name)
        return escape(parameter.title if parameter else name.replace("_", " "))


def run_label(name: str) -> str:
    """`run_3` as `run~3`, `run_3_failed_1` as `failed attempt~1 at run~3`; LaTeX."""
    if name == BASELINE:
        return "the baseline"
    head, failed, attempt = name.partition("_failed_")
    label = escape(head.replace("_", " ")).replace("run ", "run~", 1)
    return f"failed attempt~{escape(attempt)} at {label}" if failed else label


def row_label(name: str) -> str:
    """The run at the head of a table's row: `Run~3`; LaTeX."""
    label = run_label(name).removeprefix("the ")
    return label[:1].upper() + label[1:]


_NOTHING_ASKED = Event("question", 0.0, {})


def load_material(folder: StudyFolder, log: EventLog, template: Template) -> Material:
    """Read what earlier phases left.

    Raises:
        StudyError: an artifact is missing or not valid.
    """
    created = next(log.events("study_created"), None)
    results = folder.read(folder.results, Results)
    if not any(run.name == BASELINE for run in results.runs):
        raise StudyError(f"the results of study {folder.name!r} have no baseline", "", "run `novum resume`")
    return Material(
        idea=folder.read(folder.idea, Idea),
        results=results,
        figures=_figures(folder),
        template=template,
        created=created.data if created else {},
        started_s=float(created.data.get("created", created.time)) if created else 0.0,
        asked=str((log.last("question") or _NOTHING_ASKED).data.get("primary_metric", "")),
        diffs={str(e.data.get("run")): str(e.data.get("diff", "")) for e in log.events("edit_applied")},
    )


def _figures(folder: StudyFolder) -> tuple[Figure, ...]:
    path = folder.figures / "figures.json"
    try:
        listed = TypeAdapter(tuple[Figure, ...]).validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StudyError(
            f"cannot read figures/figures.json of study {folder.name!r}", str(error), "run `novum resume`"
        ) from error
    return tuple(f for f in listed if (folder.figures / f"{f.file}.pdf").is_file())


def _facts(material: Material) -> Iterable[Fact]:
    profile = material.created.get("profile", "quick")
    for name, config in material.template.config(profile).items():
        yield Fact(name, plain_value(config.value), "template")
    for run in material.results.runs:
        for name, value in run.arguments.items():
            yield Fact(f"{run.name}/{name}", plain_value(value), run.name)
        if run.change:
            yield Fact(f"{run.name}/change", quoted(run.change, _CHANGE_CHARS), run.name)
        if run.reason:
            yield Fact(f"{run.name}/reason", quoted(run.reason.splitlines()[0], _REASON_CHARS), run.name)
    yield from cost_facts(material.results)
    yield Fact("study/hypothesis", quoted(material.idea.hypothesis, 600).rstrip("."), "idea.json")
    yield Fact("study/title", quoted(material.idea.title, 200).rstrip("."), "idea.json")
    counts = {
        "runs": len(material.others),
        "runs_valid": len(material.valid),
        "runs_failed": len(material.others) - len(material.valid),
        "seeds": len(material.baseline.seeds) or 1,
        "comparisons": len(material.results.comparisons),
        "tested": sum(c.p_value is not None for c in material.results.comparisons),
        "detected": sum(c.verdict in DETECTED for c in material.results.comparisons),
    }
    for name, count in counts.items():
        yield Fact(f"study/{name}", str(count), "results.json")
    yield Fact("study/alpha", plain_value(ALPHA), "novum")
    if works := _index_works(material.idea.novelty):
        yield Fact(INDEX_WORKS, str(works), "idea.json")
    for name, version in sorted(material.versions.items()):
        yield Fact(f"version/{name}", escape(version), "study_created")


def _index_works(novelty: Novelty | None) -> int:
    """How many works the index on this machine held when the idea was judged; 0 when it was not asked."""
    return max((search.index_works or 0 for search in novelty.searches), default=0) if novelty else 0


DETECTED = frozenset({"better", "worse", "higher", "lower"})
"""Verdicts that say that a difference was detected."""


def plain_value(value: str | int | float) -> str:
    """A value of a configuration as LaTeX: digits as they were given."""
    if isinstance(value, str):
        return escape(value)
    text = f"{value:g}" if isinstance(value, float) and abs(value) < 1e6 else f"{value}"
    return rf"$-${text[1:]}" if text.startswith("-") else text


def quoted(text: str, most: int) -> str:
    """Recorded words on one line, escaped, cut at a word."""
    line = " ".join(text.split())
    return escape(line if len(line) <= most else f"{line[:most].rsplit(' ', 1)[0]} ...")
