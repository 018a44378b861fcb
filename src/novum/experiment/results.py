"""The harness: from recorded runs to named results and their comparison with the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from novum.experiment.fairness import more_than, not_controlled, said_of
from novum.experiment.metrics import Measured, Series
from novum.experiment.runner import Executed
from novum.records import Comparison, Metric, Result, Results, Run
from novum.stats import bootstrap_interval, compare, holm, noise_floor, summarise
from novum.template import Template

BASELINE = "run_0"
MOST_FEW = 30
"""Values up to which seeds are few, and a bootstrap interval stands beside the t interval."""
_CLOCK = frozenset({"s", "ms", "min", "h", "seconds", "minutes", "hours"})
"""Units of what varies from run to run whatever the seed is."""
_OTHER_DATA = "measured on other data or another split"
_SEED_UNUSED = (
    "all seeds gave the same value in every metric that varies in the baseline: the seed is not used"
)


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
    items = {item.run.name: item for item in executed}
    unseeded = _unseeded(results)
    comparisons = []
    for result in results:
        base = by_key.get(f"{BASELINE}/{result.dataset}/{result.metric}")
        if result.run != BASELINE and base is not None:
            why = _not_comparable(result, items, unseeded)
            comparisons.append(_comparison(result, base, items, template, why))
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
        "self_reported": run.self_reported or series.extra or metric.self_reported,
    }
    if not series.values:
        # Only the run's own word for its spread: it is shown, and nothing is tested with it.
        return Result(**common, n=1, mean=series.mean, stderr=series.stderr)
    summary = summarise(series.values)
    few = bootstrap_interval(series.values) if summary.n <= MOST_FEW else None
    return Result(
        **common,
        n=summary.n,
        mean=summary.mean,
        sd=summary.sd,
        stderr=summary.stderr,
        low=summary.low,
        high=summary.high,
        bootstrap_low=few.low if few else None,
        bootstrap_high=few.high if few else None,
        values=series.values,
    )


def _unseeded(results: Sequence[Result]) -> frozenset[str]:
    """Runs that gave one value for all seeds wherever the baseline's seeds gave several; clocks apart."""
    varied = {(r.dataset, r.metric) for r in results if r.run == BASELINE and len(set(r.values)) > 1}
    shown: dict[str, bool] = {}
    for r in results:
        if (r.dataset, r.metric) in varied and r.n > 1 and r.unit not in _CLOCK:
            shown[r.run] = shown.get(r.run, False) or len(set(r.values)) > 1
    return frozenset(run for run, varies in shown.items() if not varies)


def _not_comparable(a: Result, items: Mapping[str, Executed], unseeded: frozenset[str]) -> str:
    """Why `a` cannot be compared with the baseline's result, or ""."""
    ours, theirs = items[a.run], items[BASELINE]
    if not ours.run.comparable:
        return ours.run.not_comparable or "the edit touched the code that computes the metric"
    data = [item.measured.data.get(a.dataset) for item in (ours, theirs) if item.measured]
    if len(set(data)) > 1:
        return _OTHER_DATA
    return _SEED_UNUSED if a.run in unseeded else ""


def _comparison(
    a: Result, b: Result, items: Mapping[str, Executed], template: Template, not_comparable: str
) -> Comparison:
    # The same seeds in the same order pair the values, which takes out what the seeds have in common.
    ours, theirs = items[a.run].run, items[b.run].run
    paired = template.paired_seeds and ours.seeds == theirs.seeds and a.n == b.n
    if not_comparable:
        return Comparison(
            a=a.key,
            b=b.key,
            verdict="not comparable",
            reason=not_comparable,
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
        noise_floor=noise_floor(b.values) if b.values else None,
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
