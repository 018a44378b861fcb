"""What is fixed before run 1, what is decided after each run, and the metrics that a plan may add."""

from __future__ import annotations

import json

import pytest

from novum.experiment.replan import without_numbers
from novum.llm import Request
from novum.records import Metric

from .conftest import FIT, SMALL, Lab, Reply, change, edits, replacing, run_of, setting


def deciding(decision: str, reason: str = "The results so far leave no doubt.") -> Reply:
    def reply(request: Request) -> str | None:
        if request.json_schema is None or "/replan" not in request.step:
            return None
        answer = {"reasoning": reason, "interpretation": WORDS, "decision": decision}
        if "revised_run" in request.json_schema["properties"]:
            answer["revised_run"] = {
                "rationale": "A slope between the two of them.",
                "parameter": "slope",
                "value": "1.75",
            }
        return json.dumps(answer)

    return reply


WORDS = "The steeper line has less error because it is nearer to the truth."


def test_done_before_any_run_is_not_accepted(lab: Lab) -> None:
    """Failures A 6: `ALL_COMPLETED` in the first reply gave a paper about no experiment."""

    def reply(request: Request) -> str | None:
        if request.step == "experiment/plan":
            return json.dumps(
                {"reasoning": "ALL_COMPLETED " * 6, "primary_metric": "error", "parameter_runs": []}
            )
        return "ALL_COMPLETED" if request.json_schema is None else None

    lab.replies = reply
    results = lab.run()
    assert len(results.runs) > 1
    assert any(d["step"] == "experiment/plan" for d in lab.events("step_defaulted"))


def test_one_run_settles_nothing(lab: Lab) -> None:
    """Failures A 6: stopping is refused until there is something to judge by."""
    lab.replies = deciding("abandon")
    results = lab.run(setting(1.0), setting(1.5, "run_2"), setting(3.0, "run_3"))
    assert "one run settles nothing" in lab.told("experiment/run_1/replan")
    assert [r.name for r in results.runs] == ["run_0", "run_1", "run_2"]


def test_failed_attempts_answer_nothing(lab: Lab) -> None:
    """Failures A 6: attempts at one run are one run, and only valid ones tell anything."""
    decide = deciding("answered")
    broken = edits(replacing(FIT, "    raise ValueError"), "no change")
    lab.replies = lambda request: decide(request) or broken(request)
    results = lab.run(change(), setting(1.5, "run_2"), setting(3.0, "run_3"))
    assert [r.name for r in results.runs if r.status == "ok"] == ["run_0", "run_2", "run_3"]
    assert "one run settles nothing" in lab.told("experiment/run_1/replan")
    assert "one run settles nothing" in lab.told("experiment/run_2/replan")


def test_an_abandoned_idea_ends_as_a_recorded_null_result(lab: Lab) -> None:
    """The question comes first: what did not work is kept, with the reason."""
    lab.replies = deciding("abandon", "No slope that was tried came near enough.")
    results = lab.run(setting(1.0), setting(1.5, "run_2"), setting(3.0, "run_3"))
    assert results.ended == "abandoned"
    assert results.ended_reason == "No slope that was tried came near enough."
    assert json.loads(lab.folder.results.read_text())["ended"] == "abandoned"
    assert "null result" in lab.folder.notes.read_text()
    assert lab.events("replanned")[-1]["decision"] == "abandon"


def test_an_answered_question_ends_the_runs(lab: Lab) -> None:
    """Failures B C 3 and C 4: a run that ended early lost all that it had computed."""
    lab.replies = deciding("answered")
    results = lab.run(setting(1.0), setting(1.5, "run_2"), setting(3.0, "run_3"))
    assert results.ended == "answered"
    assert len(results.runs) == 3


def test_a_revised_run_is_exploratory(lab: Lab) -> None:
    """The question comes first: what was planned after results were seen is marked."""
    lab.replies = deciding("revise")
    results = lab.run(setting(1.0), setting(1.5, "run_2"))
    assert not run_of(results, "run_1").exploratory
    assert run_of(results, "run_2").exploratory
    assert run_of(results, "run_2").arguments == {"slope": 1.75}


def test_a_large_model_decides_after_each_run(lab: Lab) -> None:
    lab.run(setting(1.0), change("run_2"), setting(3.0, "run_3"))
    assert [e["after"] for e in lab.events("replanned")] == ["run_1", "run_2", "run_3"]
    assert all(e["reason"] for e in lab.events("replanned"))


def test_a_small_model_is_asked_only_where_the_next_run_could_be_another(lab: Lab) -> None:
    lab.capabilities = SMALL
    lab.run(setting(1.0), setting(1.5, "run_2"))
    assert [e["after"] for e in lab.events("replanned")] == ["run_1"]


def test_the_question_is_fixed_and_hashed_before_the_first_run(lab: Lab) -> None:
    """Failures B S 4: hypothesis, metric and comparison are the same before and after."""
    lab.run()
    kinds = [e.kind for e in lab.log.events("question", "run_finished")]
    assert kinds[0] == "question"
    (question,) = lab.events("question")
    assert len(question["sha256"]) == 16
    assert question["hypothesis"]
    assert question["primary_metric"] == "error"


def test_extra_metrics_are_marked_and_the_declared_ones_cannot_change(lab: Lab) -> None:
    """What changed code says of itself is shown as that; the template's metrics stay the evaluator's."""
    extra = Metric(name="bends", unit="times", direction="none", description="How often the line bends.")
    body = (
        "    (params.out_dir / 'extra_metrics.json').write_text("
        '\'{"line": {"bends": [1, 2, 3], "error": [0, 0, 0], "other": 1}}\')\n    return [0.0, 1.9]'
    )
    lab.replies = edits(replacing(FIT, body))
    results = lab.run(change(), extra_metrics=(extra,))
    bends = results.by_key("run_1/line/bends")
    assert bends is not None
    assert bends.self_reported
    assert (bends.mean, bends.unit) == (2.0, "times")
    error = results.by_key("run_1/line/error")
    assert error is not None
    assert not error.self_reported
    assert error.mean > 0
    assert results.by_key("run_1/line/other") is None
    assert "extra_metrics.json" in lab.told("experiment/run_1/edit")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            "The slope helps. It went from 0.5 to 0.2 at once. More may help!",
            "The slope helps. More may help!",
        ),
        ("It is 3 times better.", "the reason given rests on numbers, which stand with the results"),
        ("No change\nwas seen", "No change was seen"),
    ],
)
def test_notes_hold_no_number_of_the_model(lab: Lab, said: str, kept: str) -> None:
    """Failures A 3: the model adds interpretation, never numbers; its reason for a decision had any."""
    assert without_numbers(said) == kept
    lab.replies = deciding("continue", f"{said} (as the runs have it)")
    lab.run(setting(1.0))
    decision = next(t for t in lab.folder.notes.read_text().splitlines() if t.startswith("Decision"))
    assert not any(c.isdigit() for c in decision)
