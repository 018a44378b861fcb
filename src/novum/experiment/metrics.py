"""Read final_info.json, which nobody trusts, into numbers that are finite and declared."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novum.records import Metric
from novum.template import Template

EXTRA = "extra_metrics.json"
"""Where a run writes the extra metrics of its plan: {dataset: {metric: one number a seed}}."""
_MOST_BYTES = 16 << 20
_MOST_VALUES = 10_000


class MetricsError(Exception):
    """A run that ended well but whose metrics do not count; the message is for the model and the user."""


@dataclass(frozen=True)
class Series:
    """One metric on one dataset: one value a seed, or the run's own summary where it keeps no values."""

    dataset: str
    metric: str
    values: tuple[float, ...]
    mean: float
    stderr: float | None
    """The run's own standard error; used only when there are no values."""
    extra: bool = False
    """An extra metric of the plan, for which the run's own word stands."""


@dataclass(frozen=True)
class Measured:
    """Everything that one run measured."""

    series: tuple[Series, ...]
    parameters: float | None = None
    """The largest number of parameters of a seed's model, as the evaluator counts it; None when it counts none."""


def read_metrics(folder: Path, template: Template, extra: Sequence[Metric] = ()) -> Measured:
    """Read `folder`/final_info.json and hold it to the metrics that `template` declares.

    Metrics of `extra` are added as far as the run wrote sound ones; those of the template cannot be replaced so.

    Raises:
        MetricsError: the file is missing, too large, not JSON, of another shape, or a declared metric is
            missing, renamed or not finite.
    """
    series: list[Series] = []
    info = _load(folder / "final_info.json")
    for dataset, entry in info.items():
        series.extend(_dataset(dataset, entry, template))
    if not series:
        raise MetricsError("final_info.json holds no metrics")
    measured = {s.metric for s in series}
    series += [s for s in _extra(folder / EXTRA, extra) if s.metric not in measured]
    return Measured(tuple(series), _parameters(info) if template.evaluate else None)


def _extra(path: Path, extra: Sequence[Metric]) -> Iterator[Series]:
    """The extra metrics that are sound; what is not is left out, for no verdict rests on it."""
    names = {m.name for m in extra}
    try:
        found = _load(path) if names and path.is_file() else {}
    except MetricsError:
        return
    for dataset, entry in found.items():
        for metric in sorted(names & entry.keys()):
            values = entry[metric] if isinstance(entry[metric], list) else [entry[metric]]
            try:
                series = _series(dataset, metric, 0.0, values, {})
            except MetricsError:
                continue
            yield Series(dataset, metric, series.values, series.mean, None, extra=True)


def _parameters(info: dict[str, Any]) -> float | None:
    """The largest of the counts that the evaluator gives (one number, or one a seed, for each dataset)."""
    counts: list[float] = []
    for entry in info.values():
        given = entry.get("parameters")
        for count in given if isinstance(given, list) else [given]:
            if isinstance(count, (int, float)) and not isinstance(count, bool) and math.isfinite(count):
                counts.append(float(count))
    return max(counts, default=None)


def _load(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise MetricsError(f"final_info.json is larger than {_MOST_BYTES >> 20} MiB")
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MetricsError(
            "the run ended with exit code 0 but wrote no final_info.json into --out_dir"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise MetricsError(f"final_info.json cannot be read: {error}") from None
    if not isinstance(value, dict) or not all(isinstance(entry, dict) for entry in value.values()):
        raise MetricsError('final_info.json must be {dataset: {"means": {metric: number}, ...}}')
    return value


def _dataset(dataset: str, entry: dict[str, Any], template: Template) -> list[Series]:
    means = entry.get("means")
    if not isinstance(means, dict):
        raise MetricsError(f'final_info.json has no "means" for {dataset!r}')
    values, errors = entry.get("values") or {}, entry.get("stderrs") or {}
    if not isinstance(values, dict) or not isinstance(errors, dict):
        raise MetricsError(f'"values" and "stderrs" of {dataset!r} must be {{metric: ...}}')
    declared = [m.name for m in template.metrics] or sorted(means)
    found = []
    for metric in declared:
        # The first AI Scientist's templates append "_mean" to the names of means.
        name = metric if metric in means else f"{metric}_mean"
        if name not in means:
            raise MetricsError(
                f"the declared metric {metric!r} is missing for {dataset!r}; found: {sorted(means)[:20]}"
            )
        found.append(_series(dataset, metric, means[name], values.get(metric), errors))
    return found


def _series(dataset: str, metric: str, mean: Any, values: Any, errors: dict[str, Any]) -> Series:
    where = f"{metric!r} of {dataset!r}"
    numbers: tuple[float, ...] = ()
    if values is not None:
        if not isinstance(values, list) or not 0 < len(values) <= _MOST_VALUES:
            raise MetricsError(f"the values of {where} must be a list with one number a seed")
        numbers = tuple(_finite(v, where) for v in values)
    average = math.fsum(numbers) / len(numbers) if numbers else _finite(mean, where)
    error = errors.get(metric, errors.get(f"{metric}_stderr"))
    return Series(dataset, metric, numbers, average, _finite(error, where) if error is not None else None)


def _finite(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise MetricsError(f"{where} is {value!r}, which is not a finite number")
    return float(value)
