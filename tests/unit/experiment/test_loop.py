"""The loop: edits that are made or not run, repairs, invalid runs, and that every run counts."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import pytest

from novum.errors import StudyError
from novum.experiment import run_experiments
from novum.experiment.loop import MAX_TRIES
from novum.records import Plan

from .conftest import (
    BETTER_FIT,
    DECLARATION,
    EXPERIMENT,
    FIT,
    IDEA,
    Lab,
    MakeLab,
    change,
    edits,
    mean_of,
    replacing,
    run_of,
    setting,
)

# -- no diff, no run -----------------------------------------------------------------------------------


def test_a_failed_edit_is_not_a_run_of_the_old_code(lab: Lab) -> None:
    """Failures A 2 and 2a: byte-identical code ran and was reported as an experiment."""
    lab.replies = edits(replacing("    no such line", "    anything"))
    results = lab.run(change())
    assert [r.name for r in results.runs][:1] == ["run_0"]
    assert all(not r.edited for r in results.runs)
    assert lab.events("edit_refused")[0]["run"] == "run_1"
    assert lab.events("step_defaulted")


@pytest.mark.parametrize(
    "new",
    [
        "    # a comment\n    return [0.0, params.slope]",
        '    "Another docstring."\n    return [0.0, params.slope]',
        "    return [ 0.0, (params.slope) ]",
    ],
)
def test_comments_layout_and_docstrings_are_no_change(lab: Lab, new: str) -> None:
    """Failures A 2: an edit that changes nothing is refused, and the model is told."""
    lab.replies = edits(replacing(FIT, new))
    lab.run(change())
    assert "the program is the same as before" in lab.told("experiment/run_1/edit")
    assert not lab.events("edit_applied")


def test_a_repair_that_goes_back_to_the_baseline_is_refused(lab: Lab) -> None:
    """Failures A 2: old code must not run under the name of an experiment, by no way round."""
    lab.replies = edits(replacing(FIT, "    raise ValueError"), replacing("    raise ValueError", FIT))
    results = lab.run(change())
    assert [r.status for r in results.runs] == ["ok", "failed"]
    assert "the baseline's again" in lab.told("experiment/run_1/fix_1")


# -- failures and repairs ------------------------------------------------------------------------------


def test_the_model_sees_both_streams_and_the_reason(lab: Lab) -> None:
    """Failures A 8 and 20: an error that the model never saw could not be mended."""
    broken = "    print('on standard output')\n    return [0.0, 1.0 / 0.0]"
    lab.replies = edits(replacing(FIT, broken), replacing("    return [0.0, 1.0 / 0.0]", BETTER_FIT))
    results = lab.run(change())
    told = lab.told("experiment/run_1/fix_1")
    assert "ZeroDivisionError" in told
    assert "on standard output" in told
    assert "exit code 1" in told
    assert [r.name for r in results.runs] == ["run_0", "run_1_failed_1", "run_1"]


def test_there_are_four_repairs_and_no_more(lab: Lab) -> None:
    """Failures A 7 and C 1: the budget of repairs is what it says, and every loop ends."""
    bodies = [f"    return [0.0, {n}.0 / 0.0]" for n in range(8)]
    replies = [replacing(FIT, bodies[0])] + [replacing(a, b) for a, b in pairwise(bodies)]
    lab.replies = edits(*replies)
    results = lab.run(change())
    assert [r.name for r in results.runs[1:]] == [f"run_1_failed_{n}" for n in range(1, MAX_TRIES + 1)]
    assert MAX_TRIES == 5


def test_a_timeout_tells_the_model_to_do_less(make_lab: MakeLab) -> None:
    """Failures I 3: the run is over at its limit, and the model cannot move it."""
    lab = make_lab({"template.toml": DECLARATION.replace("wall_s = 20.0", "wall_s = 1.0")})
    lab.replies = edits(
        replacing(FIT, "    time.sleep(60)\n    return [0.0, 1.9]"),
        replacing("    time.sleep(60)", "    time.sleep(0)"),
    )
    results = lab.run(change())
    assert run_of(results, "run_1_failed_1").outcome.ended == "timeout"
    told = lab.told("experiment/run_1/fix_1")
    assert "make the program do less" in told
    assert "1 s" in told


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        ("    x = [bytearray(1 << 24) for _ in range(200)]\n    return [0.0, float(len(x))]", "memory"),
        ("    while True: print('x' * 65536)", "output"),
        ("    import os\n    while True: os.fork()", "tasks"),
        ("    (params.out_dir / 'big').write_bytes(bytes(1 << 26))\n    return [0.0, 1.0]", "disk"),
    ],
)
def test_what_takes_more_than_its_limits_is_a_named_failure(lab: Lab, body: str, ended: str) -> None:
    """Bad input: prints gigabytes, forks, fills memory and disk (failures A 19, C 7, I 1 and I 2)."""
    lab.replies = edits(replacing(FIT, body), "no change")
    results = lab.run(change())
    failed = run_of(results, "run_1_failed_1")
    assert failed.outcome.ended == ended
    assert failed.reason.splitlines()[0] in lab.told("experiment/run_1/fix_1")
    assert len(failed.outcome.stdout) < 10_000


def test_an_experiment_that_dies_before_it_makes_its_folder_is_a_failed_run(lab: Lab) -> None:
    """Failures A 8: a missing result was an error of the program, never shown to the model."""
    lab.replies = edits(
        replacing("    params.out_dir.mkdir(parents=True, exist_ok=True)", "    raise RuntimeError('early')"),
        "no change",
    )
    results = lab.run(change())
    assert run_of(results, "run_1_failed_1").status == "failed"
    assert "early" in lab.told("experiment/run_1/fix_1")


def test_an_experiment_that_puts_a_link_in_place_of_its_folder_leaves_nothing(lab: Lab) -> None:
    """Bad input: the harvest follows no link."""
    body = (
        "    import os, shutil\n    shutil.rmtree(params.out_dir)\n    os.symlink('/etc', params.out_dir)\n"
        "    raise SystemExit(0)"
    )
    lab.replies = edits(replacing(FIT, body), "no change")
    results = lab.run(change())
    assert run_of(results, "run_1_failed_1").status == "invalid"


# -- invalid runs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("    return [float('nan'), 1.0]", "nan"),
        ("    return [float('inf'), 1.0]", "inf"),
        ("    raise SystemExit(0)", "checkpoint.json"),
    ],
)
def test_nan_infinity_and_nothing_are_invalid_runs_kept_and_told(lab: Lab, body: str, told: str) -> None:
    """Failures A 8, B S 3 and S 9: NaN won or was accepted, and a run without metrics was not buggy."""
    lab.replies = edits(replacing(FIT, body), "no change")
    results = lab.run(change())
    invalid = run_of(results, "run_1_failed_1")
    assert invalid.status == "invalid"
    assert told in invalid.reason
    assert invalid.reason.splitlines()[0] in lab.told("experiment/run_1/fix_1")
    assert lab.folder.run("run_1_failed_1").is_dir()
    assert not any(r.run == "run_1_failed_1" for r in results.results)


OWN_METRICS = EXPERIMENT.replace(
    "\n\nmain()\n",
    "    errors = [evaluate.error(m, [[1.0, 2.0]]) for m in models]\n"
    "    info = {'line': {'means': {'error': sum(errors) / 3}, 'values': {'error': errors}}}\n"
    "    (params.out_dir / 'final_info.json').write_text(json.dumps(info))\n\n\nmain()\n",
)


@pytest.fixture
def own_metrics(make_lab: MakeLab) -> Lab:
    """A template whose experiment reports its own metrics, as those of the first AI Scientist do."""
    declaration = DECLARATION.replace('evaluate = "evaluate.py"\n', "").replace(
        'held_out = ["held_out"]\n', ""
    )
    return make_lab({"experiment.py": OWN_METRICS, "template.toml": declaration})


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{'error': sum(errors) / 3}", "{'better_error': 0.0}", "'error' is missing"),
        ("{'error': errors}", "{'error': ['small'] * 3}", "not a finite number"),
        ("{'error': errors}", "{'error': []}", "one number a seed"),
        ("{'line': {'means'", "{'line': {'mean'", 'no "means"'),
        ("info = {'line'", "info = [] and {'line'", "{dataset:"),
        ("json.dumps(info)", "'{' * 5", "cannot be read"),
        ("json.dumps(info)", "'[' * 100000", "cannot be read"),
        (
            "(params.out_dir / 'final_info.json').write_text(json.dumps(info))",
            "pass",
            "wrote no final_info.json",
        ),
    ],
)
def test_final_info_of_the_wrong_shape_is_an_invalid_run(
    own_metrics: Lab, old: str, new: str, told: str
) -> None:
    """Bad input; failures A 8 and B S 4: a metric that is renamed is no result, and the model is told which it was."""
    line = next(text for text in OWN_METRICS.splitlines() if old in text)
    own_metrics.replies = edits(replacing(line, line.replace(old, new)), "no change")
    results = own_metrics.run(change())
    invalid = run_of(results, "run_1_failed_1")
    assert invalid.status == "invalid"
    assert told in invalid.reason
    assert told in own_metrics.told("experiment/run_1/fix_1")


def test_an_edit_of_the_metric_in_the_editable_file_is_not_comparable(own_metrics: Lab) -> None:
    """Failures B S 4: a metric that is redefined cannot be compared with what it was."""
    line = next(text for text in OWN_METRICS.splitlines() if "errors = [" in text)
    own_metrics.replies = edits(replacing(line, line.replace("errors = [", "errors = [0.1 * ")))
    results = own_metrics.run(change())
    (comparison,) = results.comparisons
    assert comparison.verdict == "not comparable"
    assert "touched the code that computes the metric" in comparison.reason
    assert "errors = [" in comparison.reason


def test_an_edit_elsewhere_in_that_file_is_comparable(own_metrics: Lab) -> None:
    """The other side of the same rule: a change of the model is what a study is for."""
    results = own_metrics.run(change())
    assert run_of(results, "run_1").comparable
    assert results.comparisons[0].verdict == "better"


def test_a_run_on_other_data_is_not_comparable(make_lab: MakeLab) -> None:
    """Failures B S 2: a run that was measured on something else was compared all the same."""
    lab = make_lab(
        {"template.toml": DECLARATION.replace("default = 0.5\n", "default = 0.5\nchanges_data = true\n")}
    )
    results = lab.run(setting(1.5))
    (comparison,) = results.comparisons
    assert comparison.verdict == "not comparable"
    assert comparison.reason == "slope changes the data or the split"


# -- every run counts ----------------------------------------------------------------------------------


def test_the_last_run_counts_and_reaches_the_model(lab: Lab) -> None:
    """Failures A 1 and B S 8: the last results were overwritten by the next prompt; a judge got no evidence."""
    results = lab.run(setting(1.0), setting(1.5, "run_2"), setting(3.0, "run_3"))
    assert results.by_key("run_3/line/error") is not None
    assert "run_3" in lab.folder.notes.read_text()
    assert "noise floor" in lab.folder.notes.read_text()
    assert "run_3/line/error" not in lab.told("experiment/run_2/replan")
    assert f"{mean_of(results, 'run_3'):.4g}" in lab.told("experiment/run_3/replan")


def test_four_good_runs_and_one_failed_are_four_good_runs(lab: Lab) -> None:
    """Failures A 7 and C 3: one failure at the end threw everything away."""
    lab.replies = edits(replacing(FIT, "    raise ValueError"), "no change")
    runs = [setting(v, f"run_{n}") for n, v in enumerate((1.0, 1.5, 2.0, 3.0), start=1)]
    results = lab.run(*runs, change("run_5"))
    assert [r.name for r in results.runs if r.status == "ok"] == [f"run_{n}" for n in range(5)]
    assert len(results.comparisons) == 4
    failed = [r for r in results.runs if r.status != "ok"]
    assert [r.name for r in failed] == ["run_5_failed_1"]


def test_a_run_never_gets_the_outputs_of_another(lab: Lab) -> None:
    """Failures B S 1: a folder that was not cleaned gave one run's results to the next."""
    lab.replies = edits(replacing(FIT, "    raise SystemExit(0)"), "no change")
    results = lab.run(setting(1.0), change("run_2"))
    assert run_of(results, "run_2_failed_1").status == "invalid"
    assert {r.run for r in results.results} == {"run_0", "run_1"}


def test_the_same_run_is_executed_once(lab: Lab) -> None:
    """Failures A 29 and B R 1: nothing resumed. The same code, arguments, seeds, environment and limits run once."""
    lab.run(setting(1.0))
    before = {p: p.stat().st_mtime_ns for p in lab.folder.runs.rglob("run.json")}
    lab.run(setting(1.0))
    assert {p: p.stat().st_mtime_ns for p in lab.folder.runs.rglob("run.json")} == before


def test_results_and_notes_are_the_same_bytes_when_walked_again(lab: Lab) -> None:
    """Replay: nothing depends on a clock or on how often a study was walked through."""
    lab.run(setting(1.0), change("run_2"))
    before = lab.folder.results.read_bytes(), lab.folder.notes.read_bytes()
    lab.run(setting(1.0), change("run_2"))
    assert (lab.folder.results.read_bytes(), lab.folder.notes.read_bytes()) == before


def test_a_baseline_that_does_not_run_stops_the_study(make_lab: MakeLab) -> None:
    """Failures A 2e: hours were spent before a missing baseline was noticed."""
    lab = make_lab(
        {"experiment.py": EXPERIMENT.replace(FIT, "    raise ValueError('broken from the start')")}
    )
    with pytest.raises(StudyError, match="baseline") as error:
        lab.run(setting(1.0))
    assert "broken from the start" in error.value.text


def test_seeds_differ_and_are_recorded(lab: Lab) -> None:
    """Failures A 3, B S 5 and S 6: `fixed seeds` that no code set, seeds that were lost or were one."""
    results = lab.run(setting(1.0))
    for run in ("run_0", "run_1"):
        result = results.by_key(f"{run}/line/error")
        assert result is not None
        assert len(set(result.values)) == 3
        assert run_of(results, run).seeds == (0, 1, 2)


def test_the_minutes_of_a_budget_are_looked_at_before_each_run_and_not_for_recorded_ones(lab: Lab) -> None:
    """A budget of minutes that only model calls looked at was passed by every long run."""
    lab.run(setting(1.0))

    class Late(Exception):
        pass

    def late() -> None:
        raise Late

    tools = dataclasses.replace(lab.tools, check_time=late)
    plan = Plan(hypothesis="", primary_metric="error", runs=(setting(1.0),))
    assert len(run_experiments(tools, IDEA, plan).runs) == 2
    with pytest.raises(Late):
        run_experiments(tools, IDEA, plan.model_copy(update={"runs": (setting(1.5),)}))
