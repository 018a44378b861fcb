"""The harness from runs to results: like is compared with like, and costs stand beside what was won."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from novum.experiment.fairness import more_than, not_controlled, resources
from novum.experiment.measuring import touches_metric
from novum.experiment.metrics import Measured, MetricsError, Series, read_metrics
from novum.experiment.results import build_results
from novum.experiment.runner import Executed
from novum.records import Limits, Metric, Outcome, Run
from novum.template import DeclaredMetric, Template

TEMPLATE = Template(
    name="t",
    title="T",
    evaluate="evaluate.py",
    metrics=(
        DeclaredMetric(name="loss", direction="minimize"),
        DeclaredMetric(name="acc", direction="maximize"),
    ),
)


def run(name: str, *, wall_s: float = 10.0, memory: int = 1 << 30, **fields: object) -> Run:
    outcome = Outcome(ended="exit", exit_code=0, wall_s=wall_s, peak_memory_bytes=memory)
    return Run(
        name=name,
        title=name,
        identity=name,
        commit="c",
        status="ok",
        outcome=outcome,
        limits=Limits(),
        **fields,
    )  # type: ignore[arg-type]


def series(dataset: str, metric: str, *values: float) -> Series:
    return Series(dataset, metric, values, sum(values) / len(values), None)


def executed(run_: Run, *found: Series) -> Executed:
    return Executed(run_, Measured(found))


def test_metrics_are_never_averaged_across_quantities_or_datasets() -> None:
    """Failures B S 2: loss and accuracy were averaged, and a run that tested a harder set as well lost."""
    results = build_results(
        [
            executed(
                run("run_0"),
                series("easy", "loss", 0.60, 0.61, 0.62),
                series("easy", "acc", 0.10, 0.11, 0.12),
            ),
            executed(
                run("run_1"),
                series("easy", "loss", 0.50, 0.51, 0.52),
                series("easy", "acc", 0.95, 0.96, 0.97),
                series("hard", "loss", 3.0, 3.1, 3.2),
            ),
        ],
        TEMPLATE,
    )
    verdicts = {c.a: c.verdict for c in results.comparisons}
    assert verdicts == {"run_1/easy/loss": "better", "run_1/easy/acc": "better"}
    assert results.by_key("run_1/hard/loss") is not None


def test_a_win_with_more_of_something_says_so_in_its_reason() -> None:
    """Fair comparison: what the writer and the next plan read is the reason."""
    base = run("run_0", parameters=1000.0)
    won = run("run_1", parameters=1260.0, wall_s=14.0)
    results = build_results(
        [
            executed(base, series("d", "loss", 3.0, 3.1, 3.2)),
            executed(won, series("d", "loss", 1.0, 1.1, 1.2)),
        ],
        TEMPLATE,
    )
    (made,) = results.comparisons
    assert made.more == {"parameters": 0.26, "wall time": 0.4}
    assert made.reason.endswith("with 26% more parameters and 40% more wall time")
    assert made.not_controlled == ()


@pytest.mark.parametrize(
    ("ours", "theirs", "more"),
    [
        ({"wall_s": 11.0}, {"wall_s": 10.0}, {}),
        ({"wall_s": 11.5}, {"wall_s": 10.0}, {"wall time": 0.15}),
        ({"wall_s": 0.9}, {"wall_s": 0.5}, {}),
        ({"memory": 40 << 20}, {"memory": 20 << 20}, {}),
        ({"memory": 2 << 30}, {"memory": 1 << 30}, {"peak memory": 1.0}),
        ({"parameters": 12.0}, {"parameters": 2.0}, {"parameters": 5.0}),
        ({"wall_s": 5.0}, {"wall_s": 10.0}, {}),
    ],
)
def test_more_is_over_ten_percent_and_more_than_measuring_twice_differs(
    ours: dict[str, float], theirs: dict[str, float], more: dict[str, float]
) -> None:
    assert more_than(run("run_1", **ours), run("run_0", **theirs)) == more  # type: ignore[arg-type]


def test_what_was_not_measured_is_not_controlled() -> None:
    unmeasured = run("run_1", wall_s=0.0, memory=0)
    assert not_controlled(unmeasured, run("run_0")) == ("wall time", "peak memory")
    assert "parameters" not in resources(run("run_0"))
    assert not_controlled(run("run_1", self_reported=True), run("run_0", self_reported=True)) == (
        "parameters",
    )


def test_a_parameter_count_is_the_evaluators_largest(tmp_path: Path) -> None:
    entry = {"means": {"loss": 1.0, "acc": 1.0}, "parameters": [10, 12]}
    (tmp_path / "final_info.json").write_text(json.dumps({"d": entry, "e": {**entry, "parameters": 7}}))
    assert read_metrics(tmp_path, TEMPLATE).parameters == 12
    own = TEMPLATE.model_copy(update={"evaluate": ""})
    assert read_metrics(tmp_path, own).parameters is None


@pytest.mark.parametrize(
    "info",
    [
        {"d": {"means": {"loss": 1.0, "acc": 1.0}, "values": [1]}},
        {"d": {"means": {"loss": True, "acc": 1.0}}},
        {"d": {"means": {"loss": 1.0, "acc": None}}},
        {"d": {"means": {"loss": 1.0, "acc": 1.0}, "values": {"loss": ["1"]}}},
        {"d": {"means": []}},
        {"d": 1},
        {},
    ],
)
def test_final_info_of_another_shape_is_one_error(tmp_path: Path, info: object) -> None:
    """Failures A 13: a score that was a text ended hours of work with a TypeError."""
    (tmp_path / "final_info.json").write_text(json.dumps(info))
    with pytest.raises(MetricsError):
        read_metrics(tmp_path, TEMPLATE)


def test_extra_metrics_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "final_info.json").write_text(json.dumps({"d": {"means": {"loss": 1.0, "acc": 1.0}}}))
    extra = [Metric(name="count"), Metric(name="loss")]
    for text in (
        '{"d": {"count": ["x"]}}',
        '{"d": {"count": [NaN]}}',
        "nonsense",
        "[]",
        '{"d": {"loss": [0]}}',
    ):
        (tmp_path / "extra_metrics.json").write_text(text)
        assert len(read_metrics(tmp_path, TEMPLATE, extra).series) == 2
    (tmp_path / "extra_metrics.json").write_text('{"d": {"count": 3}}')
    assert read_metrics(tmp_path, TEMPLATE, extra).series[-1] == Series(
        "d", "count", (3.0,), 3.0, None, extra=True
    )


CODE = """
def evaluate(model):
    return sum(model) / 3

def train(rate):
    model = [rate * 2]
    return model

def main():
    model = train(0.1)
    loss = evaluate(model)
    final_info = {"d": {"means": {"loss": loss}}}
"""


@pytest.mark.parametrize(
    ("old", "new", "touched"),
    [
        ("sum(model) / 3", "sum(model) / 4", True),
        ("loss = evaluate(model)", "loss = 0.5 * evaluate(model)", True),
        ('{"loss": loss}', '{"loss": 0.0}', True),
        ("rate * 2", "rate * 3", False),
        ("return model", "# trained\n    return model", False),
    ],
)
def test_which_edits_touch_the_metric(old: str, new: str, touched: bool) -> None:
    """Failures B S 4: a metric is defined once."""
    why = touches_metric(CODE, CODE.replace(old, new), {"loss"})
    assert bool(why) is touched


# -- other data, and what stands beside a result -------------------------------------------------------


def test_a_run_that_the_evaluator_measured_on_other_data_is_not_comparable(tmp_path: Path) -> None:
    """Failures B S 2: another modulus, another text, another split are another question."""
    entry = {"means": {"loss": 1.0, "acc": 1.0}, "data": {"modulus": 31, "fraction": 0.7}}
    (tmp_path / "final_info.json").write_text(json.dumps({"d": entry, "e": {"means": entry["means"]}}))
    assert read_metrics(tmp_path, TEMPLATE).data == {"d": '{"fraction": 0.7, "modulus": 31}'}

    def compared(ours: dict[str, str], theirs: dict[str, str]) -> str:
        found = (series("d", "loss", 1.0, 1.1, 1.2),)
        base = Executed(run("run_0"), Measured((series("d", "loss", 3.0, 3.1, 3.2),), data=theirs))
        results = build_results([base, Executed(run("run_1"), Measured(found, data=ours))], TEMPLATE)
        return f"{results.comparisons[0].verdict}: {results.comparisons[0].reason}"

    assert compared({"d": "1"}, {"d": "2"}) == "not comparable: measured on other data or another split"
    assert compared({}, {"d": "2"}).startswith("not comparable")
    assert compared({"d": "1"}, {"d": "1"}).startswith("better")
    assert compared({"d": "1", "e": "2"}, {"d": "1", "e": "3"}).startswith("better")


def test_a_metric_that_is_declared_self_reported_is_so_in_results() -> None:
    """A declaration without effect: its tables said that the evaluator had computed it."""
    told = DeclaredMetric(name="loss", direction="minimize", self_reported=True)
    template = TEMPLATE.model_copy(update={"metrics": (told, *TEMPLATE.metrics[1:])})
    measured = [series("d", "loss", 1.0, 1.1, 1.2), series("d", "acc", 0.1, 0.2, 0.3)]
    results = build_results([executed(run("run_0"), *measured)], template)
    assert {r.metric: r.self_reported for r in results.results} == {"loss": True, "acc": False}


def test_few_seeds_have_a_bootstrap_interval_and_a_comparison_its_noise_floor() -> None:
    few, two = series("d", "loss", 1.0, 1.2, 1.3, 1.1), series("d", "acc", 0.1, 0.2)
    results = build_results([executed(run("run_0"), few, two), executed(run("run_1"), few, two)], TEMPLATE)
    found = results.by_key("run_0/d/loss")
    assert found is not None and found.bootstrap_low is not None and found.bootstrap_high is not None
    assert found.bootstrap_low < found.mean < found.bootstrap_high
    lone = results.by_key("run_0/d/acc")
    assert lone is not None and lone.bootstrap_low is None
    floors = [c.noise_floor for c in results.comparisons]
    assert all(f is not None and f > 0 for f in floors)
    many = series("d", "loss", *(float(n % 7) for n in range(2000)))
    wide = build_results([executed(run("run_0"), many)], TEMPLATE).by_key("run_0/d/loss")
    assert wide is not None and wide.bootstrap_low is None


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1" + "0" * 400, "1e999", "1e200", "NaN", "true"])
def test_numbers_that_are_too_large_are_invalid_and_end_nothing(tmp_path: Path, number: str) -> None:
    """A whole number of four hundred digits ended the study with an OverflowError."""
    means = '{"loss": 1.0, "acc": 1.0}'
    info = f'{{"d": {{"means": {means}, "values": {{"loss": [1.0, {number}]}}, "parameters": {number}}}}}'
    (tmp_path / "final_info.json").write_text(info)
    with pytest.raises(MetricsError, match="'loss' of 'd' is"):
        read_metrics(tmp_path, TEMPLATE)
    (tmp_path / "final_info.json").write_text(f'{{"d": {{"means": {means}, "parameters": [{number}, 3]}}}}')
    found = read_metrics(tmp_path, TEMPLATE).parameters
    assert found in (3.0, 1e200)


def test_large_values_have_a_mean(tmp_path: Path) -> None:
    entry = '{"means": {"loss": 0, "acc": 0}, "values": {"loss": [1e150, 1e150], "acc": [1e-320, 0.0]}}'
    (tmp_path / "final_info.json").write_text(f'{{"d": {entry}}}')
    measured = read_metrics(tmp_path, TEMPLATE)
    assert measured.series[0].mean == 1e150
    build_results([Executed(run("run_0"), measured), Executed(run("run_1"), measured)], TEMPLATE)
