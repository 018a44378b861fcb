"""The harness: from recorded runs to named results and their comparison with the baseline."""

from __future__ import annotations

from collections.abc import Sequence

from novum.experiment.fairness import more_than, not_controlled, said_of
from novum.experiment.metrics import Measured, Series
from novum.experiment.runner import Executed
from novum.records import Comparison, Metric, Result, Results, Run
from novum.stats import compare, holm, summarise
from novum.template import Template

BASELINE = "run_0"


def build_results(executed: Sequence[Executed], template: Template, extra: Sequence[Metric] = ()) -> Results:
    """Every result of every run, and each run's results compared with the baseline's.

    p values are corrected by Holm's method over all comparisons of the study. `extra` are the metrics that the
    plan declares beside the template's.
    """
    results = [
        _result(series, item.run, _metric(series.metric, template, extra))
        for item in executed
        if item.measured is not None
        for series in item.measured.series
    ]
    by_key = {r.key: r for r in results}
    runs = {item.run.name: item.run for item in executed}
    comparisons = []
    for result in results:
        base = by_key.get(f"{BASELINE}/{result.dataset}/{result.metric}")
        if result.run != BASELINE and base is not None:
            comparisons.append(_comparison(result, base, runs, template))
    return Results(
        runs=tuple(item.run for item in executed),
        results=tuple(results),
        comparisons=tuple(_corrected(comparisons, by_key)),
    )


def _metric(name: str, template: Template, extra: Sequence[Metric]) -> Metric:
    declared = template.metric(name) or next((m for m in extra if m.name == name), None)
    return declared or Metric(name=name)


def _result(series: Series, run: Run, metric: Metric) -> Result:
    common = {
        "key": f"{run.name}/{series.dataset}/{series.metric}",
        "run": run.name,
        "dataset": series.dataset,
        "metric": series.metric,
        "unit": metric.unit,
        "direction": metric.direction,
        "commit": run.commit,
        "self_reported": run.self_reported or series.extra,
    }
    if not series.values:
        # Only the run's own word for its spread: it is shown, and nothing is tested with it.
        return Result(**common, n=1, mean=series.mean, stderr=series.stderr)
    summary = summarise(series.values)
    return Result(
        **common,
        n=summary.n,
        mean=summary.mean,
        sd=summary.sd,
        stderr=summary.stderr,
        low=summary.low,
        high=summary.high,
        values=series.values,
    )


def _comparison(a: Result, b: Result, runs: dict[str, Run], template: Template) -> Comparison:
    # The same seeds in the same order pair the values, which takes out what the seeds have in common.
    ours, theirs = runs[a.run], runs[b.run]
    paired = template.paired_seeds and ours.seeds == theirs.seeds and a.n == b.n
    if not ours.comparable:
        return Comparison(
            a=a.key,
            b=b.key,
            verdict="not comparable",
            reason=ours.not_comparable or "the edit touched the code that computes the metric",
            difference=a.mean - b.mean,
        )
    made = compare(a.values or (a.mean,), b.values or (b.mean,), direction=a.direction, paired=paired)
    return Comparison(
        a=a.key,
        b=b.key,
        verdict=made.verdict,
        reason=made.reason,
        difference=made.difference,
        relative=made.relative,
        low=made.low,
        high=made.high,
        p_value=made.p_value,
        effect_size=made.effect_size,
        test=made.test,
        more=more_than(ours, theirs),
        not_controlled=not_controlled(ours, theirs),
    )


def _corrected(comparisons: list[Comparison], by_key: dict[str, Result]) -> list[Comparison]:
    """Holm's correction, after which a difference that is no longer significant is no longer a difference."""
    tested = [c for c in comparisons if c.p_value is not None]
    adjusted = dict(zip((c.a for c in tested), holm([c.p_value or 0.0 for c in tested]), strict=True))
    final = []
    for c in comparisons:
        p = adjusted.get(c.a)
        update: dict[str, object] = {"p_adjusted": p}
        if p is not None and p >= 0.05 and c.verdict in {"better", "worse", "higher", "lower"}:
            update["verdict"] = "no detectable difference"
            update["reason"] = f"p = {p:.3g} after correction for {len(tested)} comparisons"
        final.append(_with_cost(c.model_copy(update=update)))
    return final


def _with_cost(made: Comparison) -> Comparison:
    """A win says what it cost: the reason is what the writer of the paper and the next plan see."""
    if made.verdict != "better":
        return made
    more, unknown = said_of(made.more), " and ".join(made.not_controlled)
    told = [f"with {more}" if more else "", f"{unknown} not controlled" if unknown else ""]
    return made.model_copy(update={"reason": "; ".join([made.reason, *(t for t in told if t)])})


__all__ = ["BASELINE", "Measured", "build_results"]
