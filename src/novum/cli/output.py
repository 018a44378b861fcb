"""What every command shares: the boundary for errors, JSON, tables, and lines for people.

Results go to standard output, everything else to standard error, so that `novum ... --json | jq` works.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from novum.errors import NovumError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
"""The `--json` option of a command."""


class CommandGroup(TyperGroup):
    """A group of commands with one boundary: every error becomes lines on standard error and an exit code.

    Use it for the outermost app: `typer.Typer(cls=CommandGroup, ...)`.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except NovumError as error:
            print_error(error.text)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as interrupt:
            print_error("\n".join(["interrupted", *_notes(interrupt)]))
            raise typer.Exit(INTERRUPTED) from interrupt
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of a pipe has gone; typer ends quietly
                raise
            print_error(_os_error_text(error))
            raise typer.Exit(NovumError.exit_code) from error


def _notes(error: BaseException) -> list[str]:
    """What the code that was interrupted has to say, left with `add_note`."""
    return [f"  next: {note}" for note in getattr(error, "__notes__", [])]


def _os_error_text(raised: OSError) -> str:
    error = _first(raised)
    what = f"cannot use {error.filename or 'the file system'}"
    # Who left a note knows how to go on; a study that is begun again would be paid for again.
    then = getattr(raised, "__notes__", ["run the command again"])[-1]
    remedy = _REMEDIES.get(error.errno or 0)
    return NovumError(what, error.strerror or str(error), f"{remedy}, then {then}" if remedy else then).text


def _first(error: OSError) -> OSError:
    """The first of the errors that copying a folder gathers into one, which has the others' texts only."""
    if not isinstance(error, shutil.Error) or not isinstance(error.args[0], list):
        return error
    _source, target, text = error.args[0][0]
    number = re.search(r"\[Errno (\d+)\]", str(text))
    return OSError(int(number[1]), os.strerror(int(number[1])), target) if number else OSError(str(text))


_REMEDIES = {
    errno.ENOSPC: "free some disk space",
    errno.EDQUOT: "free some disk space",
    errno.EROFS: "set NOVUM_LAB to a folder that can be written",
    errno.EACCES: "make the file readable and writable for you, or set NOVUM_LAB to another folder",
    errno.EPERM: "make the file readable and writable for you, or set NOVUM_LAB to another folder",
}


def print_error(text: str) -> None:
    """Print an error to standard error."""
    print(f"novum: {text}", file=sys.stderr)


def print_line(text: str = "") -> None:
    """Print a line of the result."""
    print(text)


def print_progress(text: str) -> None:
    """Print a line that tells what happens, to standard error."""
    print(text, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """Print `value` as JSON: records, paths and tuples are converted, and a number that is not finite is null."""
    # pydantic_core is cheap to load only when a command has loaded records already, which it has by now.
    from pydantic_core import to_jsonable_python

    plain = to_jsonable_python(value, inf_nan_mode="null")
    print(json.dumps(plain, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print a table, as wide as the terminal allows; plain aligned text when there is no terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD if terminal else None)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # Text, not markup: a paper's title may hold square brackets.
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    Console(width=None if terminal else _WIDE, highlight=False).print(table)


_WIDE = 200
"""Columns of a table that goes to a file or a pipe."""
