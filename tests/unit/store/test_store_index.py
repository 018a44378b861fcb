"""The index over study folders."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from novum.events import EventLog
from novum.store import StudyFolder
from novum.store.index import gather, index_path, status, update


def call(log: EventLog, dollars: float | None = 0.5) -> None:
    usage = {
        "prompt_tokens": 100,
        "cached_tokens": 60,
        "output_tokens": 7,
        "seconds": 1.5,
        "dollars": dollars,
    }
    log.append("model_call", step="ideate/propose", model="scripted:x", usage=usage)


def make_study(
    lab: Path, name: str = "20260101-a", *, created: float = 10.0, finished: bool = True
) -> StudyFolder:
    folder = StudyFolder(lab / "studies" / name)
    folder.root.mkdir(parents=True)
    with EventLog(folder.events, clock=lambda: created) as log:
        log.append("study_created", template={"name": "epidemic"}, profile="quick", seed=3)
        log.append("phase_started", phase="ideate")
        call(log)
        call(log)
        if finished:
            log.append("study_finished", draft=0, answered_share=0.9, audit_passes=True)
    idea = {
        "name": "a",
        "title": "Title [of] a",
        "hypothesis": "h",
        "source": "user",
        "novelty": {"verdict": "novel"},
    }
    write(folder.idea, idea)
    write(folder.run("run_0") / "run.json", {"title": "baseline", "status": "ok", "outcome": {"wall_s": 1.0}})
    write(folder.draft(0) / "reviews" / "meta.json", {"overall": 5, "decision": "Reject"})
    write(folder.draft(0) / "reviews" / "review_1.json", {"overall": 4, "decision": "Reject"})
    return folder


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def no_warning(message: str) -> None:
    raise AssertionError(message)


def count(lab: Path, table: str) -> int:
    with sqlite3.connect(index_path(lab)) as connection:
        found = connection.execute(f"select count(*) from {table}").fetchone()
    connection.close()
    return int(found[0])


def test_a_study_is_listed_with_its_sums(tmp_path: Path) -> None:
    folder = make_study(tmp_path)
    update(tmp_path, folder, warn=no_warning)
    (study,) = status(tmp_path, warn=no_warning)
    assert (study.name, study.template, study.profile, study.seed) == ("20260101-a", "epidemic", "quick", 3)
    assert (study.idea, study.finished, study.phase) == ("Title [of] a", True, "ideate")
    assert (study.model_calls, study.prompt_tokens, study.output_tokens, study.dollars) == (2, 200, 14, 1.0)
    assert (study.overall, study.decision, study.audit_passes, study.answered_share) == (
        5,
        "Reject",
        True,
        0.9,
    )
    assert [count(tmp_path, t) for t in ("studies", "ideas", "runs", "calls", "reviews")] == [1, 1, 1, 2, 2]


def test_an_unknown_price_makes_the_sum_unknown(tmp_path: Path) -> None:
    folder = make_study(tmp_path)
    with EventLog(folder.events) as log:
        call(log, dollars=None)
    assert status(tmp_path)[0].dollars is None


def test_a_lost_reply_costs_and_is_no_call_that_was_answered(tmp_path: Path) -> None:
    folder = make_study(tmp_path)
    with EventLog(folder.events) as log:
        log.append("model_failed", error="ModelAuthError", step="a")
        log.append("model_failed", step="a", lost=1, usage={"prompt_tokens": 900, "dollars": 3.0})
    (study,) = status(tmp_path)
    assert (study.model_calls, study.prompt_tokens, study.dollars) == (2, 1100, 4.0)


def test_status_follows_the_folders(tmp_path: Path) -> None:
    make_study(tmp_path, "20260102-b", created=20.0, finished=False)
    folder = make_study(tmp_path, "20260101-a", created=10.0)
    assert [s.name for s in status(tmp_path)] == ["20260101-a", "20260102-b"]
    with EventLog(tmp_path / "studies" / "20260102-b" / "events.jsonl") as log:
        log.append("phase_started", phase="write")
    folder.root.rename(folder.root.with_name("20260101-renamed"))
    assert [(s.name, s.phase) for s in status(tmp_path)] == [
        ("20260101-renamed", "ideate"),
        ("20260102-b", "write"),
    ]
    assert count(tmp_path, "ideas") == 2


def test_updating_twice_changes_nothing(tmp_path: Path) -> None:
    folder = make_study(tmp_path)
    update(tmp_path, folder)
    before = status(tmp_path)
    update(tmp_path, folder)
    assert status(tmp_path) == before
    index_path(tmp_path).unlink()
    assert status(tmp_path) == before


@pytest.mark.parametrize(
    "damage", [b"this is not a database, but a text of some length" * 100, b"SQLite format 3\0" * 400]
)
def test_a_damaged_index_is_made_again_with_a_warning(tmp_path: Path, damage: bytes) -> None:
    update(tmp_path, make_study(tmp_path))
    index_path(tmp_path).write_bytes(damage)
    warnings: list[str] = []
    assert [s.name for s in status(tmp_path, warn=warnings.append)] == ["20260101-a"]
    assert len(warnings) == 1 and "made again" in warnings[0]
    assert [s.name for s in status(tmp_path, warn=no_warning)] == ["20260101-a"]


def test_damage_in_the_middle_of_the_index_is_found(tmp_path: Path) -> None:
    update(tmp_path, make_study(tmp_path))
    path = index_path(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 4] = b"\xff" * (4096 * 3)
    path.write_bytes(content)
    warnings: list[str] = []
    assert [s.name for s in status(tmp_path, warn=warnings.append)] == ["20260101-a"]
    assert len(warnings) == 1


def test_an_index_of_another_version_is_made_again(tmp_path: Path) -> None:
    update(tmp_path, make_study(tmp_path))
    with sqlite3.connect(index_path(tmp_path)) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("drop table ideas")
    connection.close()
    assert status(tmp_path)[0].idea == "Title [of] a"


def test_a_corrupt_study_is_listed_with_its_problem_and_hides_no_other(tmp_path: Path) -> None:
    make_study(tmp_path, "20260101-good")
    bad = make_study(tmp_path, "20260102-bad")
    bad.events.write_bytes(b"not json\n" + bad.events.read_bytes())
    found = {s.name: s.problem for s in status(tmp_path)}
    assert found["20260101-good"] == ""
    assert "corrupt at line 1" in found["20260102-bad"]


def test_unreadable_records_beside_a_good_log_do_not_matter(tmp_path: Path) -> None:
    folder = make_study(tmp_path)
    folder.idea.write_text("{torn", encoding="utf-8")
    (folder.draft(0) / "reviews" / "meta.json").write_text("[]", encoding="utf-8")
    (folder.run("run_0") / "run.json").write_text("", encoding="utf-8")
    rows = gather(folder)
    assert rows.ideas == []
    assert [r["status"] for r in rows.runs] == ["unreadable"]
    assert [r["name"] for r in rows.reviews] == ["review_1"]
    (study,) = status(tmp_path)
    assert (study.idea, study.overall) == ("", None)


def test_a_workspace_that_does_not_exist_has_no_studies_and_is_not_made(tmp_path: Path) -> None:
    assert status(tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


def test_an_index_that_cannot_be_opened_is_a_warning_and_hides_no_study(tmp_path: Path) -> None:
    """`novum status` must answer on a full disk too: that is when a user asks."""
    folder = make_study(tmp_path)
    index_path(tmp_path).mkdir()
    warnings: list[str] = []
    assert [s.name for s in status(tmp_path, warn=warnings.append)] == ["20260101-a"]
    assert len(warnings) == 1 and "cannot use the index" in warnings[0]
    update(tmp_path, folder, warn=warnings.append)
    assert len(warnings) == 2 and "cannot use the index" in warnings[1]


def test_many_first_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    folders = [make_study(tmp_path, f"2026010{n}-s") for n in range(6)]
    warnings: list[str] = []
    threads = [
        threading.Thread(target=update, args=(tmp_path, f), kwargs={"warn": warnings.append}) for f in folders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings == []
    assert count(tmp_path, "studies") == 6
    assert count(tmp_path, "calls") == 12
