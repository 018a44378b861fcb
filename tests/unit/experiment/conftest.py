"""A small template with held-out data, and its experiments carried out with a scripted model in the real sandbox."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from novum.events import EventLog
from novum.experiment import run_experiments
from novum.literature.library import Library
from novum.llm import Capabilities, Request
from novum.llm.scripted import ScriptedModel
from novum.records import Idea, Plan, PlannedRun, Results, Run
from novum.sandbox import Sandbox
from novum.sandbox.open import open_sandbox
from novum.settings import ROLES
from novum.store import StudyFolder
from novum.template import Template, load_template
from novum.tools import Tools

# Fills any schema with a sensible choice.
value = runpy.run_path(str(Path(__file__).resolve().parents[2] / "e2e" / "scientist.py"))["value"]
LARGE = Capabilities(json_schema=True)
SMALL = Capabilities(json_schema=True, small=True)

EXPERIMENT = '''"""A model of a line: its weights are what a run saves."""

import argparse
import json
import random
import time
from pathlib import Path

import evaluate


def fit(params):
    """The weights of the model, constant first."""
    return [0.0, params.slope]


def noise(rng):
    """What chance adds to a weight."""
    return rng.gauss(0.0, 0.01)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out_dir", type=Path, default=Path("run_0"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--slope", type=float, default=0.5)
    params = parser.parse_args()
    params.out_dir.mkdir(parents=True, exist_ok=True)
    models = []
    for seed in params.seeds:
        rng = random.Random(seed)
        models.append([w + noise(rng) for w in fit(params)])
    (params.out_dir / "checkpoint.json").write_text(json.dumps(models))
    rows = [{"step": k, "name": "weight", "value": w} for k, w in enumerate(models[0])]
    (params.out_dir / "series.jsonl").write_text("".join(json.dumps(r) + "\\n" for r in rows))
    print("error on the training points", evaluate.error(models[0], [[1.0, 2.0]]))


main()
'''
EVALUATE = '''"""Protected: the error of the saved models on points that no run has seen."""

import json
import sys
from pathlib import Path


def predict(weights, x):
    return sum(w * x**k for k, w in enumerate(weights))


def error(weights, points):
    return sum((predict(weights, x) - y) ** 2 for x, y in points) / len(points)


def main(out):
    points = json.loads(Path("held_out/points.json").read_text())
    models = json.loads((out / "checkpoint.json").read_text())
    values = {"error": [error(m, points) for m in models]}
    info = {"means": {k: sum(v) / len(v) for k, v in values.items()}, "values": values}
    info["parameters"] = [len(m) for m in models]
    (out / "final_info.json").write_text(json.dumps({"line": info}))


if __name__ == "__main__":
    main(Path(sys.argv[1].partition("=")[2]))
'''
DECLARATION = """
title = "A line"
description = "A line is fitted."
primary_metric = "error"

[experiment]
seeds_argument = "--seeds"
evaluate = "evaluate.py"
outputs = ["checkpoint.json"]
series = "series.jsonl"

[files]
editable = ["experiment.py"]
protected = ["evaluate.py"]
held_out = ["held_out"]

[limits]
wall_s = 20.0
memory_bytes = 536870912
disk_bytes = 33554432
tasks = 32

[profiles.quick]
seeds = 3

[[metrics]]
name = "error"
direction = "minimize"
description = "Mean squared error on the held-out points."

[[parameters]]
name = "slope"
kind = "float"
default = 0.5
minimum = 0.0
maximum = 9.0
suggestions = [1.0, 1.5, 3.0]

[[functions]]
name = "fit"
description = "The weights of the model."
changes = ["Return a slope of 1.9.", "Return a slope of 1.2."]
"""
POINTS = [[x / 7.0, 2.0 * x / 7.0 + 0.0625] for x in range(8)]
IDEA = Idea(
    name="steeper",
    title="A steeper line",
    hypothesis="A steeper line has less error.",
    plan="Raise the slope.",
)
FILES = {
    "experiment.py": EXPERIMENT,
    "evaluate.py": EVALUATE,
    "template.toml": DECLARATION,
    "held_out/points.json": json.dumps(POINTS),
}

Reply = Callable[[Request], str | None]


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return folder


def replacing(old: str, new: str, file: str = "experiment.py") -> str:
    """A reply that replaces lines of a file."""
    return f"{file}\n```python\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n```\n"


FIT = "    return [0.0, params.slope]"
BETTER_FIT = "    return [0.0, 1.9]"


def change(name: str = "run_1", edit: str = "Return a slope of 1.9.", **fields: Any) -> PlannedRun:
    return PlannedRun(name=name, rationale="It may be nearer to the truth.", edit=edit, **fields)


def setting(slope: float, name: str = "run_1", **fields: Any) -> PlannedRun:
    return PlannedRun(name=name, rationale="Another slope.", arguments={"slope": slope}, **fields)


def edits(*replies: str) -> Reply:
    """Gives out the replies to questions for code, the last one again and again."""
    left = list(replies)

    def reply(request: Request) -> str | None:
        if request.json_schema is not None:
            return None
        return left.pop(0) if len(left) > 1 else left[0]

    return reply


class Lab:
    """One study's experiments. `replies` answers a request or leaves it (None) to sensible defaults."""

    def __init__(self, folder: Path, log: EventLog, template: Template, sandbox: Sandbox) -> None:
        self.folder, self.log, self.template, self.sandbox = StudyFolder(folder), log, template, sandbox
        self.asked: list[Request] = []
        self.replies: Reply = lambda request: None
        self.capabilities = LARGE

    @property
    def tools(self) -> Tools:
        model = ScriptedModel("scripted:test", self._reply, capabilities=self.capabilities)
        return Tools(
            folder=self.folder,
            log=self.log,
            template=self.template,
            models=dict.fromkeys(ROLES, model),
            sandbox=self.sandbox,
            library=Library([]),
            profile="quick",
            seed=1,
        )

    def _reply(self, request: Request) -> str:
        self.asked.append(request)
        said = self.replies(request)
        if said is not None:
            return said
        if request.json_schema is None:
            return replacing(FIT, BETTER_FIT)
        return json.dumps(value(request.json_schema, request.step))

    def run(self, *runs: PlannedRun, idea: Idea = IDEA, **plan: Any) -> Results:
        """Carry out the planned runs (none: ask for the plan)."""
        given = Plan(hypothesis="", primary_metric="error", runs=runs, **plan) if runs else None
        return run_experiments(self.tools, idea, given)

    def told(self, step: str) -> str:
        """Everything that a step's requests told the model."""
        return "\n".join(m.text for r in self.asked if r.step.startswith(step) for m in r.messages)

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [e.data for e in self.log.events(kind)]


class MakeLab:
    """Makes a lab for a template of some files; those of `changed` differ, and None leaves one out."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self._folder, self._sandbox = folder, sandbox
        self._logs: list[EventLog] = []

    def __call__(self, changed: Mapping[str, str | None] | None = None, **settings: str) -> Lab:
        number = len(self._logs)
        files = {k: v for k, v in {**FILES, **(changed or {})}.items() if v is not None}
        template = load_template(write_files(self._folder / f"line_{number}", files))
        study = self._folder / f"study_{number}"
        study.mkdir()
        log = EventLog(study / "events.jsonl")
        log.append("study_created", created=1_795_000_000, settings=settings)
        self._logs.append(log)
        return Lab(study, log, template, self._sandbox)

    def close(self) -> None:
        for log in self._logs:
            log.close()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """The real one."""
    return open_sandbox("auto", cache_dir=tmp_path_factory.mktemp("sandbox"))


@pytest.fixture
def make_lab(tmp_path: Path, sandbox: Sandbox) -> Iterator[MakeLab]:
    make = MakeLab(tmp_path, sandbox)
    yield make
    make.close()


@pytest.fixture
def lab(make_lab: MakeLab) -> Lab:
    return make_lab()


def run_of(results: Results, name: str) -> Run:
    return next(r for r in results.runs if r.name == name)


def mean_of(results: Results, run: str) -> float:
    found = results.by_key(f"{run}/line/error")
    assert found is not None
    return found.mean
