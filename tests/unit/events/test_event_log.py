"""The event log: what survives power cuts, damage, full disks and other processes."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from novum.errors import StudyError
from novum.events import FORMAT, KINDS, EventLog, read_events


def warn(log: EventLog, message: str) -> None:
    log.append("warning", message=message)


def messages(path: Path) -> list[str]:
    return [e.data["message"] for e in read_events(path).events if e.kind == "warning"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "events.jsonl"
    with EventLog(file, clock=lambda: 5.0) as log:
        warn(log, "one")
        warn(log, "zwei ü — 三")
    return file


def test_events_come_back_as_they_were_written(path: Path) -> None:
    first = read_events(path).events[0]
    assert (first.kind, first.data, first.time) == ("log_opened", {"format": FORMAT}, 5.0)
    assert messages(path) == ["one", "zwei ü — 三"]


def test_an_event_is_on_disk_when_append_returns(tmp_path: Path) -> None:
    with EventLog(tmp_path / "e") as log:
        warn(log, "now")
        assert messages(tmp_path / "e") == ["now"]


def test_reopening_appends_and_writes_no_second_header(path: Path) -> None:
    with EventLog(path) as log:
        warn(log, "three")
        assert [e.kind for e in log.events()].count("log_opened") == 1
    assert messages(path) == ["one", "zwei ü — 三", "three"]


def test_the_log_can_be_cut_at_any_byte_and_keeps_what_was_whole(path: Path) -> None:
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        kept = whole[:size].count(b"\n")
        content = read_events(path)
        assert len(content.events) == kept
        assert content.torn == (not (size == 0 or whole[:size].endswith(b"\n")))


@pytest.mark.parametrize(
    "tail", [b'{"kind":"warn', b"\x00\x00\x00\x00", b'{"kind":"warning","time":1,"da\n', b"\xff\xfe\n"]
)
def test_a_torn_last_line_is_dropped_with_a_warning_and_the_rest_survives(path: Path, tail: bytes) -> None:
    before = path.read_bytes()
    path.write_bytes(before + tail)
    with EventLog(path) as log:
        assert log.dropped_torn_line
        warn(log, "after")
    assert path.read_bytes().startswith(before)
    assert messages(path)[:2] == ["one", "zwei ü — 三"]
    assert "torn" in messages(path)[2]
    assert messages(path)[3] == "after"


def test_a_log_whose_header_was_torn_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "e"
    path.write_bytes(b'{"kind":"log_op')
    with EventLog(path) as log:
        assert next(log.events()).kind == "log_opened"


@pytest.mark.parametrize(
    "bad", [b"not json", b"[]", b'{"kind":"warning"}', b'{"kind":"warning","time":"x","data":{}}', b""]
)
def test_damage_before_the_last_line_is_an_error_that_names_the_line(path: Path, bad: bytes) -> None:
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], bad, *lines[1:]]))
    with pytest.raises(StudyError, match="corrupt at line 2"):
        read_events(path)
    with pytest.raises(StudyError, match="corrupt at line 2"):
        EventLog(path)


def test_a_corrupt_log_is_left_as_it_is(path: Path) -> None:
    damaged = path.read_bytes().replace(b"one", b'o"e')
    path.write_bytes(damaged)
    with pytest.raises(StudyError):
        EventLog(path)
    assert path.read_bytes() == damaged


def test_opening_a_corrupt_log_releases_its_lock(path: Path) -> None:
    good = path.read_bytes()
    path.write_bytes(good.replace(b"one", b'o"e'))
    with pytest.raises(StudyError, match="corrupt"):
        EventLog(path)
    path.write_bytes(good)
    with EventLog(path) as log:
        warn(log, "three")


@pytest.mark.parametrize("header", [{"format": "novum-events-99"}, {}])
def test_a_log_of_another_format_is_refused(path: Path, header: dict[str, str]) -> None:
    lines = path.read_bytes().split(b"\n")
    lines[0] = json.dumps({"kind": "log_opened", "time": 1, "data": header}).encode()
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(StudyError, match="format"):
        read_events(path)


def test_a_log_without_its_header_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes().split(b"\n", 1)[1])
    with pytest.raises(StudyError, match="format None"):
        read_events(path)


def test_a_missing_log_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot read the event log"):
        read_events(tmp_path / "none")


def test_a_folder_that_is_missing_or_no_folder_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for parent in ("missing", "file"):
        with pytest.raises(StudyError, match="cannot write the event log") as caught:
            EventLog(tmp_path / parent / "events.jsonl")
        assert caught.value.next_step


def test_an_unknown_kind_is_refused_and_nothing_is_written(path: Path) -> None:
    before = path.read_bytes()
    with EventLog(path) as log, pytest.raises(ValueError, match="unknown kind"):
        log.append("surprise")
    assert path.read_bytes() == before


def test_a_number_that_json_cannot_hold_is_refused_and_nothing_is_written(path: Path) -> None:
    before = path.read_bytes()
    with EventLog(path) as log, pytest.raises(ValueError, match="JSON compliant"):
        log.append("warning", message="x", value=float("nan"))
    assert path.read_bytes() == before


def test_a_second_process_cannot_write_at_the_same_time(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from novum.errors import StudyError; from novum.events import EventLog\n"
        "try: EventLog(Path(sys.argv[1]))\n"
        "except StudyError as error: print(error.text); sys.exit(error.exit_code)\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    with EventLog(path) as log:
        other = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert other.returncode == StudyError.exit_code
        assert "in use by another process" in other.stdout
        assert "resume" in other.stdout
        warn(log, "still mine")
    assert messages(path)[-1] == "still mine"
    assert subprocess.run(command, check=False, timeout=60).returncode == 0


def test_a_second_opening_in_the_same_process_is_refused_too(path: Path) -> None:
    with EventLog(path), pytest.raises(StudyError, match="in use"):
        EventLog(path)


def test_reading_needs_no_lock(path: Path) -> None:
    with EventLog(path):
        assert messages(path) == ["one", "zwei ü — 三"]


@pytest.mark.parametrize("size", [pytest.param(100), 10_000])
def test_a_full_disk_leaves_no_half_line_and_the_study_can_go_on(path: Path, size: int) -> None:
    """The kernel refuses to grow the file in the middle of a line, as a full disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = path.read_bytes()
    try:
        with EventLog(path) as log:
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
            with pytest.raises(StudyError, match="cannot write the event log") as caught:
                warn(log, "x" * size)
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            assert "resume" in caught.value.next_step
            assert path.read_bytes() == before
            assert len(list(log.events())) == 3
            warn(log, "space again")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert messages(path) == ["one", "zwei ü — 三", "space again"]


def test_listeners_hear_of_an_event_after_it_is_on_disk(path: Path) -> None:
    heard = []
    with EventLog(path) as log:
        log.listeners.append(lambda event: heard.append((event.kind, messages(path)[-1])))
        warn(log, "heard")
    assert heard == [("warning", "heard")]


def test_a_fact_is_noted_once_however_often_a_resumed_study_walks_over_it(path: Path) -> None:
    for _ in range(3):
        with EventLog(path) as log:
            log.note("step_answered", step="ideate/propose")
            log.note("step_answered", step="ideate/reflect", pair=(1, 2))
    with EventLog(path) as log:
        assert [e.data["step"] for e in log.events("step_answered")] == ["ideate/propose", "ideate/reflect"]


def test_last_finds_the_newest_that_matches(path: Path) -> None:
    with EventLog(path) as log:
        log.append("approval", what="plan", round=1)
        log.append("approval", what="plan", round=2)
        log.append("approval", what="paper", round=1)
        found = log.last("approval", what="plan")
        assert found is not None and found.data["round"] == 2
        assert log.last("approval", what="ideas") is None


def test_threads_write_whole_lines(path: Path) -> None:
    with EventLog(path) as log:
        threads = [
            threading.Thread(target=lambda n=n: [warn(log, f"{n}-{i}") for i in range(20)]) for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = messages(path)[2:]
    assert sorted(found) == sorted(f"{n}-{i}" for n in range(8) for i in range(20))


def test_every_kind_has_a_meaning() -> None:
    assert all(meaning.endswith(".") for meaning in KINDS.values())


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=plain)
def test_whatever_json_can_hold_comes_back_equal(tmp_path: Path, value: object) -> None:
    path = tmp_path / "any"
    path.unlink(missing_ok=True)
    try:
        with EventLog(path) as log:
            log.append("warning", message=value)
    except UnicodeEncodeError:
        # A lone surrogate has no UTF-8: refused before a byte is written, so that the log stays readable.
        assert len(read_events(path).events) == 1
        return
    assert read_events(path).events[-1].data == {"message": value}
