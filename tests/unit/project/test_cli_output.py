"""What every command shares: the boundary for errors, JSON, tables."""

from __future__ import annotations

import errno
import json
import math
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from novum.cli.output import CommandGroup, print_error, print_json, print_table
from novum.errors import BudgetExceeded, NoSandbox, NovumError, StudyError, UsageError
from novum.records import Usage


def invoke(error: BaseException, *arguments: str) -> Result:
    """Run a command that raises `error`, one group deep."""
    app = typer.Typer(cls=CommandGroup, pretty_exceptions_enable=False)
    inner = typer.Typer()

    @inner.command()
    def fail() -> None:
        raise error

    @inner.command()
    def other() -> None: ...

    app.add_typer(inner, name="group")
    return CliRunner().invoke(app, ["group", "fail", *arguments])


@pytest.mark.parametrize("kind", [UsageError, StudyError, NoSandbox, BudgetExceeded, NovumError])
def test_an_error_is_its_text_on_standard_error_and_its_exit_code(kind: type[NovumError]) -> None:
    result = invoke(kind("what", "why", "do this"))
    assert result.exit_code == kind.exit_code != 0
    assert result.stderr == "novum: what\n  why:  why\n  next: do this\n"
    assert result.stdout == ""


def test_ctrl_c_says_how_to_go_on() -> None:
    interrupt = KeyboardInterrupt()
    interrupt.add_note("run `novum resume x`")
    result = invoke(interrupt)
    assert result.exit_code == 130
    assert result.stderr == "novum: interrupted\n  next: run `novum resume x`\n"


@pytest.mark.parametrize(
    ("number", "step"),
    [(errno.ENOSPC, "free some disk space"), (errno.EROFS, "NOVUM_LAB"), (errno.EACCES, "readable")],
)
def test_a_full_or_read_only_disk_is_one_clear_error(number: int, step: str) -> None:
    result = invoke(OSError(number, "reason", "/some/file"))
    assert result.exit_code == 1
    assert "cannot use /some/file" in result.stderr
    assert "why:  reason" in result.stderr
    assert step in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_that_could_not_be_copied_is_told_by_its_first_file_only() -> None:
    each = [(f"a{n}", f"b{n}", f"[Errno 28] No space left on device: 'a{n}' -> 'b{n}'") for n in range(9)]
    result = invoke(shutil.Error(each))
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "novum: cannot use b0",
        "  why:  No space left on device",
        "  next: free some disk space, then run the command again",
    ]


def test_a_study_that_a_full_disk_stopped_is_resumed_and_not_begun_again() -> None:
    """The command again would begin another study, and pay for it."""
    error = OSError(errno.ENOSPC, "full", "/file")
    error.add_note("run `novum resume x`")
    said = invoke(error).stderr
    assert said.endswith("  next: free some disk space, then run `novum resume x`\n")


def test_a_reader_that_has_gone_is_no_error_to_talk_about() -> None:
    result = invoke(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert result.exit_code == 1
    assert result.stderr == ""


def test_a_defect_of_novum_keeps_its_traceback() -> None:
    result = invoke(ZeroDivisionError("oops"))
    assert isinstance(result.exception, ZeroDivisionError)


def test_a_wrong_option_exits_with_2() -> None:
    assert invoke(UsageError("never raised"), "--nonsense").exit_code == 2


def test_json_holds_records_paths_and_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"usage": Usage(calls=2), "path": Path("a/b"), "pair": (1, 2), "nan": math.nan, "text": "é"})
    out = capsys.readouterr().out
    assert "é" in out
    value = json.loads(out, parse_constant=lambda name: pytest.fail(name))
    assert (value["usage"]["calls"], value["path"], value["pair"], value["nan"]) == (2, "a/b", [1, 2], None)


def test_a_table_prints_cells_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "title"), [("a", "On [bold]brackets[/bold]"), ("b", None)])
    lines = capsys.readouterr().out.splitlines()
    assert "name" in lines[0] and "title" in lines[0]
    assert "On [bold]brackets[/bold]" in lines[1]


def test_errors_go_to_standard_error_only(capsys: pytest.CaptureFixture[str]) -> None:
    print_error("x")
    assert capsys.readouterr() == ("", "novum: x\n")
