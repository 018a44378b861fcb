"""The command line. Commands are thin: what they need is imported when they are called."""

from __future__ import annotations

from typing import Annotated

import typer

from novum import __version__
from novum.cli import doctor, literature, models, run, sandbox, study, template
from novum.cli.output import CommandGroup

app = typer.Typer(
    name="novum",
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"novum {__version__}")
        raise typer.Exit


@app.callback()
def novum(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """An AI scientist in which the model proposes and the code verifies."""


for work in (run.run, run.ideas, run.resume, run.replay):
    app.command()(work)
for look in (study.status, study.show, study.write, study.review, study.check):
    app.command()(look)
app.command()(doctor.doctor)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(sandbox.sandbox)
app.add_typer(template.app, name="template")
app.add_typer(models.app, name="models")
app.add_typer(literature.app, name="literature")


def main() -> None:
    """Entry point of the `novum` command."""
    app()
