"""One value for each seed of the run: none skipped, none chosen, and the seed is used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from novum.experiment.metrics import MetricsError, Series, read_metrics
from novum.experiment.results import build_results
from novum.records import Metric

from .conftest import FIT, Lab, change, edits, replacing, run_of
from .test_results import TEMPLATE, executed, run, series

LOOP = "    for seed in params.seeds:"


def written(folder: Path, entry: dict[str, object]) -> Path:
    (folder / "final_info.json").write_text(json.dumps({"d": {"means": {"loss": 1.0, "acc": 1.0}, **entry}}))
    return folder


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"values": {"loss": [1.0, 2.0], "acc": [1.0, 2.0]}}, "3 seeds, and 2 values"),
        ({"values": {"loss": [1.0, 2.0, 3.0], "acc": [1.0]}}, "3 seeds, and 1 values"),
        ({"seeds": [0, 1]}, r"the seeds \[0, 1\]"),
        ({"seeds": [4, 7, 11], "values": {"loss": [1.0, 2.0, 3.0]}}, r"the run was to use \[0, 1, 2\]"),
        ({"seeds": [2, 1, 0]}, "none is skipped"),
        ({"seeds": "all"}, "all"),
    ],
)
def test_values_of_other_seeds_do_not_count(tmp_path: Path, entry: dict[str, object], told: str) -> None:
    """Failures B S 6: seeds that did badly were left out, and the rest was called better."""
    with pytest.raises(MetricsError, match=told):
        read_metrics(written(tmp_path, entry), TEMPLATE, seeds=(0, 1, 2))


def test_the_same_seeds_count_and_a_script_that_seeds_itself_is_let_be(tmp_path: Path) -> None:
    values = {"loss": [1.0, 2.0, 3.0], "acc": [1.0, 2.0, 3.0]}
    written(tmp_path, {"seeds": [0, 1, 2], "values": values})
    assert read_metrics(tmp_path, TEMPLATE, seeds=(0, 1, 2)).series[0].values == (1.0, 2.0, 3.0)
    written(tmp_path, {"seeds": [5], "values": {"loss": [1.0], "acc": [1.0]}})
    assert read_metrics(tmp_path, TEMPLATE).series[0].values == (1.0,)


def test_extra_metrics_of_too_few_seeds_are_left_out(tmp_path: Path) -> None:
    written(tmp_path, {})
    (tmp_path / "extra_metrics.json").write_text('{"d": {"count": [1, 2], "size": [1, 2, 3]}}')
    extra = [Metric(name="count"), Metric(name="size")]
    found = read_metrics(tmp_path, TEMPLATE, extra, seeds=(0, 1, 2)).series
    assert [s.metric for s in found if s.extra] == ["size"]


@pytest.mark.parametrize(
    "seeds", ["params.seeds[:2]", "[s for s in params.seeds if s != 1]", "range(20)", "[0, 1, 2, 3]"]
)
def test_an_edit_that_skips_or_adds_seeds_is_an_invalid_run(lab: Lab, seeds: str) -> None:
    """Failures B S 6: two of three seeds that converged won over three."""
    lab.replies = edits(replacing(LOOP, f"    for seed in {seeds}:"), "no change")
    failed = run_of(lab.run(change()), "run_1_failed_1")
    assert failed.status == "invalid"
    assert "the run had 3 seeds" in failed.reason
    assert "the run had 3 seeds" in lab.told("experiment/run_1/fix_1")


def test_an_edit_that_seeds_everything_with_zero_is_not_comparable(lab: Lab) -> None:
    """Failures B S 5: `three seeds` were one, three times; the difference looked as sure as can be."""
    same = "        rng = random.Random(0)"
    lab.replies = edits(
        replacing("        rng = random.Random(seed)", same) + replacing(FIT, "    return [0.0, 1.9]")
    )
    results = lab.run(change())
    assert run_of(results, "run_1").status == "ok"
    (made,) = results.comparisons
    assert made.verdict == "not comparable"
    assert "the seed is not used" in made.reason


def both(ours: list[Series], theirs: list[Series]) -> dict[str, str]:
    results = build_results([executed(run("run_0"), *theirs), executed(run("run_1"), *ours)], TEMPLATE)
    return {c.a.rpartition("/")[2]: c.verdict for c in results.comparisons}


def test_one_metric_at_its_bound_is_compared_as_ever() -> None:
    """Every seed reaches an accuracy of one: that is a result, for its loss tells the seeds apart."""
    ours = [series("d", "acc", 1.0, 1.0, 1.0), series("d", "loss", 0.10, 0.11, 0.12)]
    theirs = [series("d", "acc", 0.5, 0.6, 0.7), series("d", "loss", 0.50, 0.51, 0.52)]
    assert both(ours, theirs) == {"acc": "better", "loss": "better"}
    same = [series("d", "acc", 1.0, 1.0, 1.0), series("d", "loss", 0.1, 0.1, 0.1)]
    assert both(same, theirs) == {"acc": "not comparable", "loss": "not comparable"}


def test_what_does_not_vary_in_the_baseline_need_not_vary_in_a_run() -> None:
    theirs = [series("d", "loss", 0.5, 0.5, 0.5)]
    assert both([series("d", "loss", 0.1, 0.1, 0.1)], theirs) == {"loss": "better"}
