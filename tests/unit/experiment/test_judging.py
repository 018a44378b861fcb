"""The second opinion on a change: it sees plan and diff, cites lines, and `not` counts as a repair."""

from __future__ import annotations

import json

import pytest

from novum.edits.programs import same_but_for_names, same_program
from novum.experiment.judging import changed_lines
from novum.llm import Request

from .conftest import BETTER_FIT, FIT, SMALL, Lab, change, replacing, run_of

OTHER = "    return [0.0, params.slope + 0.0]"


def judged(*verdicts: str) -> object:
    left = list(verdicts)

    def reply(request: Request) -> str | None:
        if "/judge" not in request.step:
            if request.json_schema is not None:
                return None
            source = request.messages[-1].text
            return replacing(FIT, OTHER) if FIT in source else replacing(OTHER, BETTER_FIT)
        answer = {"lines": ["1", "2"], "verdict": left.pop(0) if len(left) > 1 else left[0]}
        if "reason" in (request.json_schema or {})["properties"]:
            answer["reason"] = "Adding nothing to the slope does nothing."
        return json.dumps(answer)

    return reply


def test_a_diff_that_renames_without_implementing_is_refused(lab: Lab) -> None:
    """Failures A 2: renaming alone is found by the code, with no model asked."""
    lab.replies = lambda request: (
        replacing("def fit(params):", "def fit(settings):")
        + replacing(FIT, "    return [0.0, settings.slope]")
        if request.json_schema is None
        else None
    )
    lab.run(change())
    assert not lab.events("edit_applied")
    assert "the program is the same as before" in lab.told("experiment/run_1/edit")


def test_not_counts_as_a_repair_and_the_lines_are_told(lab: Lab) -> None:
    """A change that does something else than its plan is not run while it can be mended."""
    lab.replies = judged("not", "implemented")  # type: ignore[assignment]
    results = lab.run(change())
    assert [r.name for r in results.runs] == ["run_0", "run_1"]
    run = run_of(results, "run_1")
    assert run.implemented == "implemented"
    told = lab.told("experiment/run_1/fix_1")
    assert "does not do what was asked" in told
    assert OTHER.strip() in told
    verdicts = [e["verdict"] for e in lab.events("edit_judged")]
    assert verdicts == ["not", "implemented"]
    assert lab.events("edit_judged")[0]["lines"] == [f"-{FIT}", f"+{OTHER}"]


def test_the_second_opinion_sees_plan_and_diff_alone(lab: Lab) -> None:
    lab.run(change())
    told = lab.told("experiment/run_1/edit/judge")
    assert "Return a slope of 1.9." in told
    assert f"+{BETTER_FIT}" in told
    assert "argparse" not in told
    assert "A steeper line" not in told


def test_a_small_model_is_asked_one_short_question(lab: Lab) -> None:
    """The added cost is one call of at most sixty tokens for a change, and one doubt at most is heeded."""
    lab.capabilities = SMALL

    def reply(request: Request) -> str | None:
        if "/judge" in request.step:
            return json.dumps({"lines": ["1"], "verdict": "not"})
        if request.json_schema is None:
            return "```python\ndef fit(params):\n    return [0.0, 1.9 + 0.0" + (
                "1]\n```" if "fix" in request.step else "]\n```"
            )
        return None

    lab.replies = reply
    results = lab.run(change(function="fit"))
    asked = [r for r in lab.asked if r.step.endswith("/judge")]
    assert all(r.max_tokens == 60 for r in asked)
    assert len(asked) == 2
    assert run_of(results, "run_1").implemented == "not"  # it is run, and its record says so
    assert "second opinion on the change: not" in lab.folder.notes.read_text()


def test_no_second_opinion_is_said_so(lab: Lab) -> None:
    lab.replies = lambda request: "nonsense" if "/judge" in request.step else None
    results = lab.run(change())
    assert run_of(results, "run_1").implemented == ""
    assert any(d["step"].endswith("/judge") for d in lab.events("step_defaulted"))


def test_changed_lines_of_a_diff() -> None:
    diff = "--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n a\n-b\n+c\n+\n"
    assert changed_lines(diff) == ["-b", "+c"]


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("def f(a):\n    return a", "def f(b):\n    return b", True),
        ("def f(a):\n    x = a\n    return x", "def g(b):\n    y = b\n    return y", True),
        ("def f(a, b):\n    return a", "def f(a, b):\n    return b", False),
        ("def f(a, b):\n    return a - b", "def f(a, b):\n    return b - a", False),
        ("def f(a):\n    return min(a)", "def f(a):\n    return max(a)", False),
        ("def f(p):\n    return p.rate", "def f(p):\n    return p.slope", False),
        ("import math\nx = math.pi", "import cmath\nx = cmath.pi", False),
    ],
)
def test_names_alone_are_no_change(old: str, new: str, same: bool) -> None:
    assert same_but_for_names(old, new) is same
    assert same_program(old, old + "\n# a comment\n")


def test_a_doubted_change_that_is_not_mended_is_run_as_it_is(lab: Lab) -> None:
    """A planned run vanished: it was judged `not`, and the repair gave no change that could be applied."""

    def reply(request: Request) -> str | None:
        if "/judge" in request.step:
            said = {"lines": ["1"], "reason": "It does something else than the plan says.", "verdict": "not"}
            return json.dumps(said)
        if request.json_schema is not None:
            return None
        return "no change" if "/fix" in request.step else replacing(FIT, BETTER_FIT)

    lab.replies = reply
    results = lab.run(change())
    run = run_of(results, "run_1")
    assert run.status == "ok"
    assert run.implemented == "not"
    assert results.by_key("run_1/line/error") is not None
    assert "second opinion on the change: not" in lab.folder.notes.read_text()
    again = lab.run(change())
    assert run_of(again, "run_1") == run
