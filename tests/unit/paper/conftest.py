"""A study folder as the earlier phases leave it, and tools around a scripted model."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from novum.events import EventLog
from novum.literature.library import Library
from novum.literature.offline import OfflineIndex
from novum.llm import Capabilities, Model, Request
from novum.llm.scripted import ScriptedModel
from novum.records import Comparison, Figure, Idea, Limits, Outcome, Result, Results, Run, RunStatus
from novum.sandbox import Access
from novum.settings import ROLES
from novum.stats import compare, holm
from novum.store import StudyFolder
from novum.template import Template, builtin_templates, load_template
from novum.tools import Tools

CREATED = 1_795_000_000
METRICS = {"peak_infected": 1, "peak_day": 2, "attack_rate": 3, "elder_attack_rate": 4, "contact_loss": 5}
MEANS = {
    "run_0": (1480.0, 61.0, 0.71, 0.52, 15.0),
    "run_1": (1210.0, 74.0, 0.66, 0.47, 24.0),
    "run_2": (1475.0, 60.5, 0.705, 0.518, 15.0),
    "run_3": (1320.0, 66.0, 0.69, 0.40, 15.0),
}
SPREAD = (40.0, 2.0, 0.006, 0.008, 0.0)


@pytest.fixture(autouse=True)
def _tinytex(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine that has least is the one to hold."""
    monkeypatch.setenv("NOVUM_LATEX", "tinytex")


class PlainSandbox:
    """Runs a command as it is: for LaTeX of our own making, where the real sandbox is not what is tested."""

    name = "plain"
    level = "plain (tests only)"

    def run(
        self,
        command: Sequence[str],
        workdir: Path,
        limits: Limits,
        access: Access | None = None,
        on_output: Callable[[str, bytes], None] | None = None,
    ) -> Outcome:
        started = time.monotonic()
        environment = {"PATH": os.environ["PATH"], "HOME": "/tmp", **(access.environment if access else {})}
        done = subprocess.run(
            list(command),
            cwd=workdir,
            env=environment,
            capture_output=True,
            timeout=limits.wall_s,
            check=False,
        )
        return Outcome(
            ended="exit",
            exit_code=done.returncode,
            stdout=done.stdout.decode(errors="replace"),
            stderr=done.stderr.decode(errors="replace"),
            wall_s=time.monotonic() - started,
            backend=self.name,
        )


def make_run(name: str, status: RunStatus = "ok", **fields: object) -> Run:
    values: dict[str, object] = {
        "title": name,
        "identity": f"{name}0123456789abcdef",
        "commit": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
        "seeds": (0, 1, 2, 3, 4),
        "outcome": Outcome(ended="exit", exit_code=0 if status == "ok" else 1),
        "limits": Limits(),
        "sandbox": "bubblewrap: no network, read-only system",
        "source": "model",
    }
    return Run.model_validate({"name": name, "status": status, **values, **fields})


def make_results() -> Results:
    """A baseline, a stronger reduction, a change that does nothing, an edit, and a run that failed."""
    runs = (
        make_run("run_0", source="user"),
        make_run("run_1", arguments={"reduction": 0.4}, rationale="A stronger reduction."),
        make_run("run_2", arguments={"vaccination_start": 25}, rationale="A later start."),
        make_run(
            "run_3",
            edited=True,
            change="Give elders weight 5.0 until day 100 and weight 1.0 afterwards.",
            exploratory=True,
        ),
        make_run(
            "run_4",
            "failed",
            arguments={"reduction": 0.9},
            reason="ValueError: contact_multiplier returned 1.8 on day 30",
        ),
    )
    results = []
    for run, means in MEANS.items():
        for (metric, seed), mean, spread in zip(METRICS.items(), means, SPREAD, strict=True):
            noise = np.random.default_rng([seed, *map(ord, run)]).normal(0, spread, 5)
            results.append(_result(run, metric, tuple(float(v) for v in np.round(mean + noise, 4))))
    return Results(runs=runs, results=tuple(results), comparisons=tuple(_comparisons(results)))


def _result(run: str, metric: str, values: tuple[float, ...]) -> Result:
    mean, sd = float(np.mean(values)), float(np.std(values, ddof=1))
    half = 2.776 * sd / 5**0.5
    return Result(
        key=f"{run}/town/{metric}",
        run=run,
        dataset="town",
        metric=metric,
        unit={"peak_infected": "people", "peak_day": "days", "contact_loss": "days"}.get(metric, "fraction"),
        direction="none" if metric == "peak_day" else "minimize",
        n=5,
        mean=mean,
        sd=sd,
        stderr=sd / 5**0.5,
        low=mean - half,
        high=mean + half,
        values=values,
        commit="0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
    )


def _comparisons(results: list[Result]) -> list[Comparison]:
    by_key = {r.key: r for r in results}
    made = []
    for a in results:
        if a.run == "run_0":
            continue
        b = by_key[f"run_0/town/{a.metric}"]
        found = compare(a.values, b.values, direction=a.direction)
        made.append(Comparison(a=a.key, b=b.key, **found._asdict()))
    tested = [c for c in made if c.p_value is not None]
    adjusted = dict(zip((c.a for c in tested), holm([c.p_value or 0.0 for c in tested]), strict=True))
    final = []
    for c in made:
        p = adjusted.get(c.a)
        lost = p is not None and p >= 0.05
        update = {"p_adjusted": p} | ({"verdict": "no detectable difference"} if lost else {})
        final.append(c.model_copy(update=update))
    return final


IDEA = Idea(
    name="reduction_strength",
    title="Too Much of a Good Thing: Strength of a Temporary Contact Reduction and the Second Wave",
    hypothesis="A stronger temporary contact reduction postpones the peak instead of lowering it, because "
    "more people are "
    "still susceptible when it ends.",
    plan="Sweep the strength of the contact reduction.",
)


@pytest.fixture(scope="session")
def template() -> Template:
    return load_template(builtin_templates()["epidemic"])


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    """A study of the epidemic template, just before the writing."""
    return make_study(tmp_path)


def make_study(parent: Path) -> StudyFolder:
    """The folder of a study, but for its event log."""
    study = StudyFolder(parent / "20261118-reduction_strength")
    study.root.mkdir()
    results = make_results()
    study.write(study.idea, IDEA)
    study.write(study.results, results)
    for run in results.runs:
        study.run(run.name).mkdir(parents=True)
    figures = [
        Figure(
            file=f"town_{m}",
            caption=f"{m.replace('_', ' ').capitalize()} of every run.",
            source="built-in",
            metrics=(m,),
        )
        for m in METRICS
    ]
    figures.append(
        Figure(file="curves", caption="Infectious people by day, one band a run.", source="template")
    )
    study.figures.mkdir()
    for figure in figures:
        draw(study.figures / figure.file)
    study.write_json(study.figures / "figures.json", [f.model_dump(mode="json") for f in figures])
    return study


def draw(stem: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(4.8, 2.6))
    FigureCanvasAgg(canvas)
    canvas.subplots().plot([0, 1, 2], [1, 3, 2], "o-")
    canvas.savefig(stem.with_suffix(".pdf"), metadata={"CreationDate": None})
    canvas.savefig(stem.with_suffix(".png"))


def open_log(study: StudyFolder) -> EventLog:
    """The study's log, begun if it is new."""
    log = EventLog(study.events, clock=lambda: CREATED + 5.0)
    if log.last("study_created") is None:
        log.append(
            "study_created",
            created=CREATED,
            profile="quick",
            seed=1,
            models=dict.fromkeys(ROLES, "local:qwen2.5-coder-1.5b"),
            versions={"novum": "0.1.0", "python": "3.11.7", "numpy": "2.4.6"},
        )
        for step in ("ideate/idea_1", "novelty/verdict", "experiment/plan"):
            log.append("step_answered", step=step)
    return log


@pytest.fixture
def log(folder: StudyFolder) -> Iterator[EventLog]:
    with open_log(folder) as opened:
        yield opened


SMALL = Capabilities(json_schema=True, grammar=True, small=True)
LARGE = Capabilities(json_schema=True)
Reply = Callable[[Request], str]


class MakeTools(Protocol):
    """Builds tools around a function from a request to a reply; a small model unless it is told otherwise."""

    def __call__(self, reply: Reply, capabilities: Capabilities = SMALL) -> Tools: ...


def tools_for(
    study: StudyFolder,
    log: EventLog,
    template: Template,
    reply: Reply,
    capabilities: Capabilities = SMALL,
    library: Library | None = None,
) -> Tools:
    """Tools around a scripted model, with the shipped bibliography as the literature unless another is given."""
    model: Model = ScriptedModel("scripted:test", reply, capabilities=capabilities)
    return Tools(
        folder=study,
        log=log,
        template=template,
        models=dict.fromkeys(ROLES, model),
        sandbox=PlainSandbox(),
        library=library or shipped_library(),
        profile="quick",
        seed=1,
    )


@lru_cache(maxsize=1)
def shipped_library() -> Library:
    return Library([OfflineIndex(None)])


@pytest.fixture
def make_tools(folder: StudyFolder, log: EventLog, template: Template) -> MakeTools:
    def build(reply: Reply, capabilities: Capabilities = SMALL) -> Tools:
        return tools_for(folder, log, template, reply, capabilities)

    return build


PROSE = {
    "introduction": "Towns that face an outbreak have to decide when and how firmly people give up contacts. "
    "A firm reduction spares "
    "hospitals for a while, yet it leaves many people without immunity once it ends. A mild reduction lets "
    "the infection spread on but "
    "builds immunity among the young and the active. How these two effects balance is hard to judge while an "
    "epidemic is going on.",
    "background": "The strength of a contact reduction sets how many meetings between susceptible and "
    "infectious people still take place. "
    "Every avoided contact has a social price, and it only delays infection if transmission resumes "
    "afterwards. The trade-off lies between "
    "pressure on care now and susceptibility later.",
    "method": "A stochastic compartment model keeps the mechanism of transmission visible and cheap to "
    "repeat. It leaves out "
    "households, travel and changing behaviour, so its outcomes are to be read as tendencies.",
    "setup": "Changing a single setting at a time keeps the cause of any difference plain. Repeating each "
    "run with several seeds "
    "shows how far chance alone can move an epidemic.",
    "discussion": "A possible explanation is that strong reductions leave enough transmission between waves "
    "to build immunity. It is "
    "also conceivable that vaccination during the reduction removes susceptible people quietly. If so, one "
    "would expect that a "
    "reduction without vaccination looks quite different.",
    "discussion/open": "It remains open whether a reduction that follows prevalence would serve the town as "
    "well. Further work could "
    "examine how isolation and vaccination act together with it. It would also be worth knowing whether "
    "households change the picture.",
    "conclusion": "For the model studied here this suggests that the firmness of a measure and its duration "
    "belong together. "
    "How far this carries depends on contact patterns that only a survey of a real town could supply.",
    "related": "What these works have in common is that they weigh early control against later "
    "susceptibility. The present study "
    "differs in that it isolates a single measure in a small closed town.",
    "abstract": "Temporary contact reductions are among the oldest measures against an epidemic. Their "
    "strength is a matter of "
    "judgement, because people who are spared infection today stay susceptible tomorrow.",
}


def cite_reply(request: Request) -> str:
    """What a well-behaved model says of citations: the first sentence, the first work, which supports it."""
    assert request.json_schema is not None
    plain = {"reasoning": "It says so.", "query": "", "after": "", "works": [], "verdict": "supports"}
    first = {name: part.get("enum", [""])[0] for name, part in request.json_schema["properties"].items()}
    return json.dumps({name: plain.get(name, choice) for name, choice in first.items()})


def good_reply(request: Request) -> str:
    """What a well-behaved small model would say."""
    step = request.step.removeprefix("write/")
    if step.startswith("cite/"):
        return cite_reply(request)
    if request.json_schema is None:
        return PROSE[step.split("/again")[0]]
    if step.endswith("/reflect"):
        return json.dumps({"fault": "none", "sentence": "1"})
    options = request.json_schema["properties"]["chosen"]["items"]
    choices = options.get("enum") or [options["const"]]
    chosen = [c for c in choices if c != "none"][:2] if step not in ("refine", "title") else choices[:1]
    return json.dumps({"reasoning": "The nearest.", "chosen": chosen})
