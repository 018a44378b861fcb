"""A study of grokking, from the template's materials alone: its references, in a PDF of every engine there is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from novum.errors import MissingTool
from novum.events import EventLog
from novum.paper.audit_citations import references
from novum.paper.audit_records import Audit
from novum.paper.citations import FEWEST, cited_keys
from novum.paper.latex.engine import CHOICE, NAMES, engines
from novum.paper.write import write_paper
from novum.records import Comparison, Figure, Idea, Result, Results
from novum.stats import compare
from novum.store import StudyFolder
from novum.template import load_template
from novum.tools import Tools

from .conftest import good_reply, make_run, make_study, open_log, tools_for

GROKKING = load_template("grokking")
IDEA = Idea(
    name="weight_decay_delay",
    title="Weight Decay and the Delay of Generalisation",
    hypothesis="A larger weight decay lowers the steps to validation, because large weights are given up early.",
    plan="Sweep the weight decay and compare with the baseline.",
)
STEPS = {"run_0": 4000.0, "run_1": 2500.0, "run_2": 3900.0}


def _results() -> Results:
    runs = tuple(
        make_run(name, source="user")
        if name == "run_0"
        else make_run(name, arguments={"weight_decay": 0.5 * number}, rationale="Another decay.")
        for number, name in enumerate(STEPS)
    )
    results = [_result(run, place) for run in STEPS for place in range(len(GROKKING.metrics))]
    baseline = {r.metric: r for r in results if r.run == "run_0"}
    comparisons = [
        Comparison(
            a=r.key,
            b=baseline[r.metric].key,
            **compare(r.values, baseline[r.metric].values, direction=r.direction)._asdict(),
        )
        for r in results
        if r.run != "run_0"
    ]
    return Results(runs=runs, results=tuple(results), comparisons=tuple(comparisons))


def _result(run: str, place: int) -> Result:
    metric = GROKKING.metrics[place]
    middle = STEPS[run] if metric.unit == "steps" else STEPS[run] / 5000
    noise = np.random.default_rng([place, *map(ord, run)]).normal(1, 0.02, 5)
    values = tuple(float(v) for v in np.round(middle * noise, 4))
    mean, sd = float(np.mean(values)), float(np.std(values, ddof=1))
    return Result(
        key=f"{run}/modular/{metric.name}",
        run=run,
        dataset="modular",
        metric=metric.name,
        unit=metric.unit,
        direction=metric.direction,
        n=5,
        mean=mean,
        sd=sd,
        stderr=sd / 5**0.5,
        low=mean - 1.24 * sd,
        high=mean + 1.24 * sd,
        values=values,
        commit="0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
    )


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    made = make_study(tmp_path)
    made.write(made.idea, IDEA)
    made.write(made.results, _results())
    figure = Figure(file="curves", caption="Accuracy by step, one band a run.", source="template")
    made.write_json(made.figures / "figures.json", [figure.model_dump(mode="json")])
    return made


@pytest.fixture
def tools(study: StudyFolder) -> Iterator[Tools]:
    with open_log(study) as log:
        yield tools_for(study, log, GROKKING, good_reply)


@pytest.mark.parametrize("engine", NAMES)
def test_a_paper_on_grokking_has_ten_verified_references_all_cited_with_every_engine(
    tools: Tools, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CHOICE, engine)
    try:
        engines(os.environ)
    except MissingTool as error:
        pytest.skip(error.what)
    pdf = write_paper(tools)
    listed = references((pdf.parent / "references.bib").read_text())
    assert len(listed) >= FEWEST
    assert set(cited_keys((pdf.parent / "paper.tex").read_text())) == set(listed)
    grokking = [paper.title for paper in listed.values() if paper and "grok" in paper.title.lower()]
    assert len(grokking) >= 3
    audit = tools.folder.read(pdf.parent / "audit.json", Audit)
    assert {(c.status, c.cited) for c in audit.citations} == {("verified", True)}
    assert [f for f in audit.findings if f.severity == "error"] == []
    assert compiled_with(tools.log) == {engine}


def compiled_with(log: EventLog) -> set[str]:
    return {str(event.data["engine"]) for event in log.events("latex")}
