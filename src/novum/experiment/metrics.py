"""Read final_info.json, which nobody trusts, into numbers that are finite, declared, and one for each seed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from novum.experiment.harvesting import INFO
from novum.records import Metric
from novum.stats.intervals import mean_of
from novum.template import Template

EXTRA = "extra_metrics.json"
"""Where a run writes the extra metrics of its plan: {dataset: {metric: one number a seed}}."""
_MOST_BYTES = 16 << 20
_MOST_VALUES = 10_000
_LARGEST = 1e150
"""Numbers beyond this have no finite square, so that nothing can be computed with them."""


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
    data: Mapping[str, str] = field(default_factory=dict)
    """What each dataset and its split are, as JSON with sorted keys; for the datasets of which it is said."""


def read_metrics(
    folder: Path, template: Template, extra: Sequence[Metric] = (), seeds: Sequence[int] = ()
) -> Measured:
    """Read `folder`/final_info.json and hold it to the metrics that `template` declares.

    Metrics of `extra` are added as far as the run wrote sound ones; those of the template cannot be replaced so.
    With the `seeds` of the run, every list of values has one for each of them.

    Raises:
        MetricsError: the file is missing, too large, not JSON, of another shape, a declared metric is
            missing, renamed or not finite, or there is not one value for each seed.
    """
    series: list[Series] = []
    info = _load(folder / INFO)
    for dataset, entry in info.items():
        _check_seeds(dataset, entry, seeds)
        series.extend(_dataset(dataset, entry, template, len(seeds)))
    if not series:
        raise MetricsError("final_info.json holds no metrics")
    measured = {s.metric for s in series}
    series += [s for s in _extra(folder / EXTRA, extra, len(seeds)) if s.metric not in measured]
    return Measured(tuple(series), _parameters(info) if template.evaluate else None, _data(info))


def finite(value: Any) -> float | None:
    """`value` as a float where it is a number, and finite; else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return None
    return number if math.isfinite(number) else None


def _check_seeds(dataset: str, entry: dict[str, Any], seeds: Sequence[int]) -> None:
    if seeds and "seeds" in entry and entry["seeds"] != list(seeds):
        raise MetricsError(
            f"{dataset!r} is measured on the seeds {_shown(entry['seeds'])}, and the run was to use {list(seeds)}: "
            "every seed counts, none is skipped, added or chosen"
        )


def _extra(path: Path, extra: Sequence[Metric], seeds: int) -> Iterator[Series]:
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
                series = _series(dataset, metric, 0.0, values, {}, seeds)
            except MetricsError:
                continue
            yield Series(dataset, metric, series.values, series.mean, None, extra=True)


def _parameters(info: dict[str, Any]) -> float | None:
    """The largest of the counts that the evaluator gives (one number, or one a seed, for each dataset)."""
    counts: list[float] = []
    for entry in info.values():
        given = entry.get("parameters")
        found = (finite(count) for count in (given if isinstance(given, list) else [given]))
        counts += [count for count in found if count is not None]
    return max(counts, default=None)


def _data(info: dict[str, Any]) -> dict[str, str]:
    try:
        return {
            name: json.dumps(entry["data"], sort_keys=True) for name, entry in info.items() if "data" in entry
        }
    except RecursionError:
        raise MetricsError('the "data" of final_info.json are nested too deep') from None


def _load(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise MetricsError(f"{path.name} is larger than {_MOST_BYTES >> 20} MiB")
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MetricsError(
            "the run ended with exit code 0 but wrote no final_info.json into --out_dir"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise MetricsError(f"{path.name} cannot be read: {error}") from None
    if not isinstance(value, dict) or not all(isinstance(entry, dict) for entry in value.values()):
        raise MetricsError('final_info.json must be {dataset: {"means": {metric: number}, ...}}')
    return value


def _dataset(dataset: str, entry: dict[str, Any], template: Template, seeds: int) -> list[Series]:
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
        found.append(_series(dataset, metric, means[name], values.get(metric), errors, seeds))
    return found


def _series(dataset: str, metric: str, mean: Any, values: Any, errors: dict[str, Any], seeds: int) -> Series:
    where = f"{metric!r} of {dataset!r}"
    numbers: tuple[float, ...] = ()
    if values is not None:
        if not isinstance(values, list) or not 0 < len(values) <= _MOST_VALUES:
            raise MetricsError(f"the values of {where} must be a list with one number a seed")
        if seeds and len(values) != seeds:
            raise MetricsError(
                f"the run had {seeds} seeds, and {len(values)} values of {where}: "
                "there must be one for each seed, also where a seed did badly"
            )
        numbers = tuple(_number(v, where) for v in values)
    average = mean_of(numbers) if numbers else _number(mean, where)
    error = errors.get(metric, errors.get(f"{metric}_stderr"))
    return Series(dataset, metric, numbers, average, _number(error, where) if error is not None else None)


def _number(value: Any, where: str) -> float:
    number = finite(value)
    if number is None or abs(number) > _LARGEST:
        why = "which is not a finite number" if number is None else f"which is beyond {_LARGEST:g}"
        raise MetricsError(f"{where} is {_shown(value)}, {why}")
    return number


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
