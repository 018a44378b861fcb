"""What is taken of a run: as much as it was allowed to write, under no name of the harness, and kept whatever comes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from novum.errors import StudyError
from novum.experiment.harvesting import is_data, left_behind, missing_outputs, take
from novum.experiment.shelf import Shelf
from novum.records import Limits, Outcome
from novum.sandbox.harvest import Harvest

from .conftest import (
    BETTER_FIT,
    DECLARATION,
    EXPERIMENT,
    FIT,
    Lab,
    MakeLab,
    change,
    edits,
    replacing,
    run_of,
    setting,
)

SAVE = '    (params.out_dir / "checkpoint.json").write_text(json.dumps(models))'


def test_a_checkpoint_over_64_mib_is_taken_when_the_run_may_write_it(tmp_path: Path) -> None:
    """The full profile of char_lm was refused after the whole training: the harvest had limits of its own."""
    out = tmp_path / "out"
    out.mkdir()
    with (out / "checkpoint.npz").open("wb") as file:
        file.truncate(300 << 20)  # a hole: it costs no space
    taken = take(out, tmp_path / "record", Limits(file_bytes=1 << 30, disk_bytes=1 << 30))
    assert taken.taken == ("checkpoint.npz",)
    taken = take(out, tmp_path / "other", Limits(file_bytes=1 << 20, disk_bytes=1 << 30))
    left = left_behind(Outcome(ended="exit"), taken, "out")
    said = missing_outputs(["checkpoint.npz", "x.json"], tmp_path / "other", left)
    assert "checkpoint.npz was not taken: 314572800 bytes, more than 1048576" in said
    assert "x.json is missing" in said


def test_an_output_that_is_not_taken_is_the_reason_of_the_run(lab: Lab) -> None:
    """Before, the evaluator's traceback was, and the reason stood among the refused files alone."""
    link = SAVE.replace(".write_text(json.dumps(models))", ".symlink_to('/etc/passwd')")
    lab.replies = edits(replacing(SAVE, link), "no change")
    failed = run_of(lab.run(change()), "run_1_failed_1")
    assert failed.status == "invalid"
    assert failed.reason == (
        "the run did not leave the outputs that are declared: checkpoint.json was not taken: a link"
    )
    assert failed.outcome.refused_files == ("checkpoint.json: a link",)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("outputs.npz", True),
        ("final_info.json", True),
        ("samples/final_info.json", True),
        ("final_info.json/x", False),
        ("run.json", False),
        ("run.json/x", False),
        ("stdout.txt", False),
        ("stderr.txt", False),
        ("environment.json", False),
        ("samples/run.json", True),
        (".hidden/x", False),
        ("evil.py", False),
    ],
)
def test_names_of_the_harness_are_not_taken_from_a_run(name: str, kept: bool) -> None:
    assert is_data(name) is kept


@pytest.mark.parametrize("name", ["final_info.json/x", "run.json", "stdout.txt/x", "environment.json"])
def test_a_run_that_uses_a_name_of_the_harness_stops_nothing(lab: Lab, name: str) -> None:
    """A folder of that name could not be written over, and stopped the study at every resume."""
    body = (
        f"    place = params.out_dir / {name!r}\n    place.parent.mkdir(parents=True, exist_ok=True)\n"
        f"    place.write_text('{{\"identity\": 1}}')\n{BETTER_FIT}"
    )
    lab.replies = edits(replacing(FIT, body))
    assert run_of(lab.run(change()), "run_1").status == "ok"
    assert run_of(lab.run(change()), "run_1").status == "ok"


def test_a_forged_record_of_an_unfinished_run_is_no_record(tmp_path: Path) -> None:
    """An interruption while the evaluator ran left a run's own run.json behind, which was then believed."""
    shelf = Shelf(tmp_path / "runs", "study")
    record = shelf.begin()
    (record / "run.json").write_text('{"identity": "x", "name": "run_1"}')
    assert shelf.find("x") is None
    shelf.begin()
    assert not record.exists()


def test_another_run_of_the_same_name_is_kept_and_found_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "runs", "study")

    def recorded(identity: str) -> Path:
        record = shelf.begin()
        (record / "run.json").write_text(json.dumps({"identity": identity, "name": "run_1"}))
        return shelf.put(record, "run_1")

    place = tmp_path / "runs" / "run_1"
    for identity in ("a", "b", "c"):
        assert recorded(identity) == place
        assert shelf.find(identity) == place
    assert shelf.find("a") == place
    assert json.loads((place / "run.json").read_text())["identity"] == "a"
    assert shelf.find("c") == place
    assert shelf.find("b") == place
    assert len(list((tmp_path / "runs").rglob("run.json"))) == 3


def test_a_resumed_study_whose_reply_is_another_goes_on(lab: Lab) -> None:
    """Replay after a changed reply ended with `Directory not empty`."""
    lab.replies = edits(replacing(FIT, "    return [0.0, 1.2]"))
    first = run_of(lab.run(change()), "run_1")
    lab.replies = edits(replacing(FIT, BETTER_FIT))
    second = run_of(lab.run(change()), "run_1")
    assert first.identity != second.identity
    kept = [json.loads(p.read_text())["identity"] for p in lab.folder.runs.rglob("run.json")]
    assert {first.identity, second.identity} < set(kept)


@pytest.mark.parametrize(("file", "text"), [("run.json", "{"), ("run.json", "[]"), ("final_info.json", "{")])
def test_a_damaged_record_says_what_to_do(lab: Lab, file: str, text: str) -> None:
    lab.run(setting(1.0))
    (lab.folder.run("run_1") / file).write_text(text)
    with pytest.raises(StudyError) as error:
        lab.run(setting(1.0))
    assert "runs/run_1" in error.value.text
    assert "novum resume" in error.value.next_step


def test_what_the_sandbox_left_behind_is_told_as_well() -> None:
    """Links do not come back from a sandbox, so the harvest never sees them."""
    outcome = Outcome(ended="exit", refused_files=("out/a.npz: a hard link", "b: its name", "... and 3 more"))
    left = left_behind(outcome, Harvest(taken=(), refused=(), total_bytes=0), "out")
    assert left == ("a.npz: a hard link", "b: its name", "... and 3 more")
    assert missing_outputs(["a.npz"], Path("/nowhere"), left).endswith("a.npz was not taken: a hard link")
    assert missing_outputs([], Path("/nowhere"), left) == ""


def test_the_check_of_a_template_says_why_an_output_was_not_taken(make_lab: MakeLab) -> None:
    from novum.experiment.contract import check_template

    link = EXPERIMENT.replace(
        SAVE, SAVE.replace(".write_text(json.dumps(models))", ".symlink_to('/etc/hosts')")
    )
    lab = make_lab({"experiment.py": link, "template.toml": DECLARATION})
    clauses, _ = check_template(lab.template.folder, lab.sandbox)
    assert any("checkpoint.json was not taken: a link" in str(c) for c in clauses if not c.ok)
