"""One idea to a reviewed and audited PDF, by the command line."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from tests.e2e.conftest import PROFESSOR, SCIENTIST, Novum, events_of
from tests.e2e.scientist import sentences

pytestmark = pytest.mark.e2e


def test_a_study_ends_with_a_paper_an_audit_and_a_review(finished: tuple[Novum, Path]) -> None:
    command, study = finished
    assert (study / "paper" / "paper.pdf").read_bytes().startswith(b"%PDF")
    audit = json.loads((study / "drafts" / "0" / "audit.json").read_text())
    assert audit["passes"]
    assert audit["unbound_numbers"] == []
    meta = json.loads((study / "drafts" / "0" / "reviews" / "meta.json").read_text())
    assert meta["machine_written"] is True
    assert 1 <= meta["overall"] <= 10
    summary = json.loads(command("show", study.name, "--json").stdout)
    assert summary["finished"]
    assert set(summary["phase_seconds"]) == {"ideate", "novelty", "experiment", "figures", "write", "review"}


def test_every_run_is_recorded_and_the_last_one_counts(finished: tuple[Novum, Path]) -> None:
    """The last run's results never reached the paper of an earlier system (failures A 1)."""
    _, study = finished
    results = json.loads((study / "results.json").read_text())
    recorded = {path.parent.name for path in study.glob("runs/*/run.json")}
    assert {run["name"] for run in results["runs"]} == recorded
    last = results["runs"][-1]["name"]
    assert last != "run_0"
    assert any(r["run"] == last for r in results["results"])
    assert f"## {last}" in (study / "notes.md").read_text()
    assert f"{last}/" in (study / "drafts" / "0" / "numbers.tex").read_text()


def test_an_edit_of_the_model_is_a_commit_and_a_run(finished: tuple[Novum, Path]) -> None:
    """A failed edit ran the old code in an earlier system (failures A 2)."""
    _, study = finished
    edits = events_of(study, "edit_applied")
    assert edits
    runs = {run["commit"]: run for run in json.loads((study / "results.json").read_text())["runs"]}
    assert all(edit["diff"] for edit in edits)
    assert any(edit["commit"] in runs for edit in edits)


def test_a_replay_gives_the_same_bytes(finished: tuple[Novum, Path], tmp_path: Path) -> None:
    command, study = finished
    done = command(
        "replay",
        study.name,
        "--to",
        str(tmp_path / "again"),
        "--json",
        NOVUM_CACHE=str(tmp_path / "no-models"),
    )
    told = json.loads(done.stdout)
    assert told["identical"], told
    for name in ("results.json", "paper/paper.tex", "paper/reviews/meta.json"):
        assert (tmp_path / "again" / name).read_bytes() == (study / name).read_bytes()


def test_altering_a_logged_reply_changes_the_replayed_paper(
    copy_of_finished: Callable[[], tuple[Novum, Path]], tmp_path: Path
) -> None:
    command, study = copy_of_finished()
    log = study / "events.jsonl"
    lines = log.read_text().splitlines()
    original = (study / "drafts" / "0" / "paper.tex").read_text()
    place, event = next(
        (n, e)
        for n, e in enumerate(map(json.loads, lines))
        if e["kind"] == "model_call" and e["data"]["step"] == "write/conclusion"
    )
    event["data"]["text"] = " ".join(sentences("words that the model never wrote", 3))
    lines[place] = json.dumps(event)
    log.write_text("\n".join(lines) + "\n")
    command("replay", study.name, "--to", str(tmp_path / "altered"), expect=None)
    assert (tmp_path / "altered" / "drafts" / "0" / "paper.tex").read_text() != original


def test_killed_at_ten_moments_and_resumed_it_ends_and_pays_nothing_twice(novum: Novum) -> None:
    rng = random.Random(20)
    arguments = ("run", "epidemic", "--model", SCIENTIST, "--profile", "quick", "--seed", "3")
    for _ in range(10):
        process = novum.start(*arguments, SCIENTIST_DELAY_S="0.15")
        time.sleep(rng.uniform(1.2, 3.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if novum.studies:
            arguments = ("resume", "last")
    novum("resume", "last")
    (study,) = novum.studies
    assert events_of(study, "study_finished")
    calls = Counter((c["step"], c["request_hash"]) for c in events_of(study, "model_call"))
    assert calls and max(calls.values()) == 1
    identities = Counter(json.loads(path.read_text())["identity"] for path in study.glob("runs/*/run.json"))
    assert max(identities.values()) == 1
    assert not list(study.glob("runs/.unfinished-*"))


def test_a_model_of_random_replies_ends_in_a_paper_that_says_so(novum: Novum) -> None:
    import pypdfium2

    novum("run", "epidemic", "--model", "random:7", "--profile", "quick", "--seed", "1")
    (study,) = novum.studies
    with pypdfium2.PdfDocument(study / "paper" / "paper.pdf") as pdf:
        first_page = pdf[0].get_textpage().get_text_bounded()
    assert "assembled from" in " ".join(first_page.lower().split())
    assert events_of(study, "step_defaulted")
    audit = json.loads((study / "drafts" / "0" / "audit.json").read_text())
    assert audit["unbound_numbers"] == []


def test_a_second_process_on_the_same_study_is_refused(novum: Novum) -> None:
    first = novum.start("run", "epidemic", "--model", SCIENTIST, SCIENTIST_DELAY_S="1")
    deadline = time.monotonic() + 60
    while not (novum.studies and events_of(novum.studies[0], "model_call")) and time.monotonic() < deadline:
        time.sleep(0.1)
    try:
        second = novum("resume", "last", expect=2)
        assert "in use by another process" in second.stderr
    finally:
        first.kill()
        first.wait()


def test_ctrl_c_stops_within_a_second_and_says_how_to_go_on(novum: Novum) -> None:
    process = novum.start("run", "epidemic", "--model", SCIENTIST, SCIENTIST_DELAY_S="0.2")
    time.sleep(2.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    assert "novum resume" in (novum.folder / "said.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("run", "no_such_template"), 2, "no_such_template"),
        (("run", "epidemic", "--model", "nonsense"), None, "nonsense"),
        (("resume", "no_such_study"), 2, "no_such_study"),
        (("run", "epidemic", "--profile", "huge", "--model", SCIENTIST), 2, "huge"),
        (("run", "epidemic", "--model", SCIENTIST, "--approve", "everything"), 2, "everything"),
        (("run", "epidemic", "--model", SCIENTIST, "--coder", "nonsense"), 2, "nonsense"),
        (("run", "epidemic", "--model", SCIENTIST, "--budget", "-5"), 2, "dollars"),
        (("run", "epidemic", "--model", SCIENTIST, "--budget", "nan"), 2, "dollars"),
        (("run", "epidemic", "--model", SCIENTIST, "--tokens", "-1"), 2, "tokens"),
        (("run", "epidemic", "--model", SCIENTIST, "--minutes", "-1"), 2, "minutes"),
        (("run", "epidemic", "--model", "loca:qwen"), 3, "loca:qwen"),
        (("run", "epidemic", "--model", f"scripted:{Path(__file__).parent}"), 3, "scripted:"),
        (("ideas", "epidemic", "--model", "loca:qwen"), 3, "loca:qwen"),
    ],
)
def test_bad_input_is_one_clear_error(
    novum: Novum, arguments: tuple[str, ...], code: int | None, said: str
) -> None:
    done = novum(*arguments, expect=code)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (novum.folder / "lab").exists(), "nothing was begun"


def test_a_read_only_workspace_is_refused(novum: Novum) -> None:
    blocked = novum.folder / "blocked"
    blocked.write_text("a file where a folder should be")
    done = novum("run", "epidemic", "--model", SCIENTIST, expect=None, NOVUM_LAB=str(blocked / "lab"))
    assert done.returncode not in (0, 70)
    assert "Traceback" not in done.stderr


def test_a_corrupt_event_log_is_named_with_its_line(
    copy_of_finished: Callable[[], tuple[Novum, Path]],
) -> None:
    command, study = copy_of_finished()
    log = study / "events.jsonl"
    lines = log.read_text().splitlines()
    lines[3] = lines[3][: len(lines[3]) // 2]
    log.write_text("\n".join(lines) + "\n")
    done = command("resume", study.name, expect=2)
    assert "corrupt at line 4" in done.stderr


def test_a_torn_last_line_is_dropped_and_the_study_goes_on(
    copy_of_finished: Callable[[], tuple[Novum, Path]],
) -> None:
    command, study = copy_of_finished()
    log = study / "events.jsonl"
    log.write_bytes(log.read_bytes() + b'{"kind":"model_call","time":1.0,"da')
    command("resume", study.name)
    assert any("torn" in w["message"] for w in events_of(study, "warning"))


def test_a_budget_is_never_exceeded_and_more_of_it_goes_on(novum: Novum) -> None:
    done = novum("run", "epidemic", "--model", SCIENTIST, "--tokens", "12000", expect=5)
    assert "novum resume" in done.stderr
    (study,) = novum.studies
    spent = sum(
        c["usage"]["prompt_tokens"] + c["usage"]["output_tokens"] for c in events_of(study, "model_call")
    )
    assert spent <= 12000
    novum("resume", study.name, "--tokens", "10000000")
    assert events_of(study if study.exists() else novum.studies[0], "study_finished")


def test_a_review_takes_a_budget(novum: Novum, finished: tuple[Novum, Path]) -> None:
    paper = finished[1] / "paper" / "paper.pdf"
    done = novum("review", str(paper), "--model", SCIENTIST, "--tokens", "20", expect=5)
    assert "tokens" in done.stderr


def test_the_version_is_that_of_the_package(novum: Novum) -> None:
    assert novum("--version").stdout.strip() == f"novum {metadata.version('novum')}"


def test_every_command_helps(novum: Novum) -> None:
    listed = novum("--help").stdout
    for name in (
        "run",
        "ideas",
        "resume",
        "replay",
        "status",
        "show",
        "write",
        "review",
        "check",
        "doctor",
        "sandbox",
    ):
        assert name in listed
        assert novum(name, "--help").returncode == 0


def test_no_environment_variable_switches_the_sandbox_off(novum: Novum) -> None:
    done = novum(
        "run",
        "epidemic",
        "--model",
        SCIENTIST,
        expect=None,
        NOVUM_SANDBOX__BACKEND="unsafe",
        NOVUM_UNSAFE="1",
    )
    assert done.returncode != 0
    assert os.environ.get("NOVUM_SANDBOX__BACKEND") is None


def test_a_person_approves_comments_and_the_model_heeds(novum: Novum) -> None:
    """A comment on the plan makes another plan, one on the paper another draft; each answer is an event."""
    arguments = ("run", "epidemic", "--model", SCIENTIST, "--approve", "plan,paper")
    waiting = novum(*arguments, expect=2)
    assert "must be approved" in waiting.stderr
    novum("resume", "last", said="vaccinate earlier\nyes\nshorter please\nyes\n")
    (study,) = novum.studies
    answers = [(a["what"], a["approved"], a["comment"]) for a in events_of(study, "approval")]
    assert answers == [
        ("plan", False, "vaccinate earlier"),
        ("plan", True, ""),
        ("paper", False, "shorter please"),
        ("paper", True, ""),
    ]
    asked = {c["step"] for c in events_of(study, "model_call")}
    assert "experiment/plan/comment_1" in asked
    assert "write/conclusion/comment_1" in asked
    assert events_of(study, "study_finished")[-1]["draft"] == 1
    assert (study / "drafts" / "1" / "paper.pdf").exists()


def test_a_comment_in_the_process_that_begins_the_study_is_heeded(novum: Novum) -> None:
    """It looked for the idea in the folder that the study had before it was named after the idea."""
    shutil.copy(SCIENTIST.removeprefix("scripted:"), novum.folder / "mine.py")
    arguments = ("run", "epidemic", "--model", "scripted:./mine.py", "--approve", "plan")
    novum(*arguments, said="vaccinate earlier\nyes\n")
    (study,) = novum.studies
    answers = [(a["approved"], a["comment"]) for a in events_of(study, "approval")]
    assert answers == [(False, "vaccinate earlier"), (True, "")]
    assert "experiment/plan/comment_1" in {c["step"] for c in events_of(study, "model_call")}
    assert events_of(study, "study_finished")
    # A model whose name is a path in other words replays as the same model: it drifted into other prompts.
    (novum.folder / "mine.py").unlink()
    told = json.loads(novum("replay", study.name, "--to", str(novum.folder / "again"), "--json").stdout)
    assert told["identical"], told
    assert not any("drifted" in w["message"] for w in events_of(novum.folder / "again", "warning"))


def test_a_capable_model_gets_through_a_full_study_and_what_it_invents_is_taken_out(
    novum: Novum,
) -> None:
    novum("run", "epidemic", "--model", PROFESSOR, "--profile", "full", "--seed", "1")
    (study,) = novum.studies
    audit = json.loads((study / "paper" / "audit.json").read_text())
    assert audit["passes"] and audit["unbound_numbers"] == []
    tex = (study / "paper" / "paper.tex").read_text()
    assert "73.91" not in tex and "nobody2031invented" not in tex
    dropped = events_of(study, "sentence_dropped")
    assert {"73.91" in d["sentence"] for d in dropped} == {True, False}
    statuses = [run["status"] for run in json.loads((study / "results.json").read_text())["runs"]]
    assert statuses.count("ok") >= 3
    assert events_of(study, "edit_applied")
    assert len(list((study / "drafts" / "0" / "reviews").glob("review_*.json"))) == 5
    told = json.loads(novum("replay", study.name, "--to", str(novum.folder / "again"), "--json").stdout)
    assert told["identical"], told
