"""`template baseline`: run a template unchanged, and tell how much its metrics vary from seed to seed."""

from __future__ import annotations

import platform
import tempfile
from pathlib import Path

from novum.errors import TemplateError
from novum.experiment.environment import environment_for
from novum.experiment.metrics import MetricsError, Series, read_metrics
from novum.experiment.trial import Trial
from novum.records import Record
from novum.sandbox import Sandbox
from novum.settings import Profile
from novum.stats import noise_floor, summarise
from novum.template import Template


class MetricBaseline(Record):
    """One metric on one dataset over the seeds of the baseline, in the metric's unit."""

    dataset: str
    metric: str
    unit: str
    n: int
    mean: float
    sd: float | None
    low: float | None
    high: float | None
    noise_floor: float | None
    """The smallest difference of two such means that chance alone rarely exceeds; None for fewer than two values."""
    values: tuple[float, ...]


class Baseline(Record):
    """A recorded baseline of a template, with the machine that it was measured on."""

    template: str
    profile: Profile
    seeds: tuple[int, ...]
    wall_s: float
    peak_memory_bytes: int
    machine: str
    python: str
    packages: dict[str, str]
    metrics: tuple[MetricBaseline, ...]


def measure_baseline(
    template: Template, sandbox: Sandbox, profile: Profile, seeds: int | None = None
) -> Baseline:
    """Run the unchanged template with `seeds` seeds (default: its profile's).

    Raises:
        TemplateError: it does not run, or its metrics do not count.
        MissingTool: what it requires is not installed.
        SandboxError: the sandbox could not be set up.
    """
    environment = environment_for(template)
    chosen = tuple(range(seeds)) if seeds and template.seeds_argument else template.seeds(profile)
    with tempfile.TemporaryDirectory(prefix="novum-baseline-") as scratch:
        trial = Trial(template, sandbox, environment, template.limits(profile), Path(scratch))
        tried = trial.run(profile, chosen)
        last = tried.evaluated or tried.outcome
        if not last.ok:
            raise TemplateError(
                f"the baseline of the template {template.name!r} does not run",
                "\n".join(part for part in (tried.missing, last.message, last.stderr[-1000:]) if part),
                f"mend it, then run `novum template check {template.name}`",
            )
        try:
            measured = read_metrics(tried.record, template, seeds=chosen)
        except MetricsError as error:
            raise TemplateError(
                f"the metrics of the template {template.name!r} do not count", str(error)
            ) from error
    return Baseline(
        template=template.name,
        profile=profile,
        seeds=chosen,
        wall_s=round(tried.outcome.wall_s, 2),
        peak_memory_bytes=tried.outcome.peak_memory_bytes,
        machine=f"{platform.machine()}, {_processor()}",
        python=platform.python_version(),
        packages=dict(environment.facts["packages"]),
        metrics=tuple(_baseline(series, template) for series in measured.series),
    )


def _baseline(series: Series, template: Template) -> MetricBaseline:
    summary = summarise(series.values or (series.mean,))
    declared = template.metric(series.metric)
    return MetricBaseline(
        dataset=series.dataset,
        metric=series.metric,
        unit=declared.unit if declared else "",
        n=summary.n,
        mean=summary.mean,
        sd=summary.sd,
        low=summary.low,
        high=summary.high,
        noise_floor=noise_floor(series.values) if series.values else None,
        values=series.values,
    )


def _processor() -> str:
    """The processor's name and the number of cores."""
    import os

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{name or platform.processor() or 'unknown processor'}, {os.cpu_count()} cores"
