"""`novum literature`: the offline index, and searches over the sources of the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from novum.cli.output import JsonOption, print_json, print_line, print_progress, print_table

if TYPE_CHECKING:
    from novum.literature.library import Library
    from novum.literature.offline import OfflineIndex
    from novum.records import Paper

app = typer.Typer(
    no_args_is_help=True, help="Search the literature, with or without a network; import your own."
)
SourceOption = Annotated[
    list[str] | None,
    typer.Option("--source", help="Ask this source only (repeatable); default: those of the settings."),
]


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="Words of a title, an abstract, authors or topics.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="Most works to show.")] = 10,
    source: SourceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the works that answer a query best."""
    from novum.errors import SourceError

    result = _library(source).search(query, limit)
    if as_json:
        print_json({"search": result.search, "papers": result.papers})
    else:
        _print_works(result.papers)
        for failure in result.search.failures:
            print_progress(f"not asked: {failure}")
    if not result.search.answered:
        raise SourceError(
            "no source of the literature could be asked",
            "; ".join(result.search.failures),
            "add 'offline' to `literature.sources`; it needs no network",
        )


def _print_works(papers: tuple[Paper, ...]) -> None:
    if not papers:
        print_progress("nothing found")
        return
    rows = ((p.year, p.title, _short_authors(p), p.venue, p.id) for p in papers)
    print_table(("year", "title", "authors", "venue", "id"), rows)


def _short_authors(paper: Paper) -> str:
    from novum.literature.text import family_name

    names = [family_name(author) for author in paper.authors]
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} and {len(names) - 1} others"


@app.command()
def show(
    paper_id: Annotated[str, typer.Argument(help="doi:..., arxiv:..., or the id that a search showed.")],
    source: SourceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show everything that is known of one work, and which source said it."""
    paper = _found(_library(source), paper_id)
    if as_json:
        print_json(paper)
        return
    for name, value in paper.model_dump(exclude={"score", "origin"}).items():
        if value not in ("", (), None, False):
            shown = "; ".join(value) if isinstance(value, tuple) else value
            told_by = f"   [{paper.origin[name]}]" if name in paper.origin else ""
            print_line(f"{name + ':':<16}{shown}{told_by}")


@app.command()
def bibtex(
    paper_ids: Annotated[list[str], typer.Argument(help="One or more ids, as in `show`.")],
    source: SourceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the BibTeX entries of works."""
    from novum.literature.bibtex import bibtex_keys, entries

    library = _library(source)
    papers = [_found(library, paper_id) for paper_id in paper_ids]
    if as_json:
        print_json({"keys": bibtex_keys(papers), "bibtex": entries(papers)})
    else:
        print_line(entries(papers).rstrip())


@app.command()
def stats(as_json: JsonOption = False) -> None:
    """Show what the offline index holds."""
    numbers = _index().stats()._asdict()
    if as_json:
        print_json(numbers)
    else:
        print_table(("what", "value"), ((name.replace("_", " "), value) for name, value in numbers.items()))


@app.command("import")
def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(help="BibTeX, JSON lines, OpenAlex, Semantic Scholar, arXiv, DBLP; also .gz."),
    ],
    again: Annotated[
        bool, typer.Option("--again", help="Read from the beginning, also what was imported before.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Add files of records to the offline index. Interrupted, it goes on where it stopped."""
    from novum.errors import UsageError
    from novum.literature.importing import import_file
    from novum.literature.library import cache_folder

    index = _index()
    if index.path is None:
        raise UsageError(
            f"{cache_folder()} cannot be written",
            "the index would be lost when the command ends",
            "name a folder that can be written in the environment variable NOVUM_CACHE",
        )
    reports = []
    for path in files:
        with _bar(path.name) as progress:
            report = import_file(index, path, again=again, progress=progress)
        reports.append(report)
        if not as_json:
            print_line(_told(report._asdict()))
    if as_json:
        print_json([report._asdict() for report in reports])


def _told(report: dict[str, object]) -> str:
    if report["already"]:
        return f"{report['file']}: imported before; nothing to do (--again reads it again)"
    told = f"{report['file']}: {report['new']:,} new works, {report['merged']:,} known ones"
    if report["skipped"]:
        told += f", {report['skipped']:,} records without a title or unreadable"
    return told


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    records = TextColumn("{task.fields[records]:,} records")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        records,
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None, records=0)
        yield lambda done, total, count: bar.update(task, completed=done, total=total, records=count)


def _index() -> OfflineIndex:
    from novum.literature.library import cache_folder, open_offline

    return open_offline(cache_folder())


def _library(names: list[str] | None) -> Library:
    from novum.literature.library import open_library
    from novum.settings import load_settings

    settings = load_settings().literature
    return open_library(settings.model_copy(update={"sources": tuple(names)}) if names else settings)


def _found(library: Library, paper_id: str) -> Paper:
    from novum.errors import SourceError, UsageError

    found = library.lookup(paper_id)
    if found.paper:
        return found.paper
    if not found.answered:
        raise SourceError("no source of the literature could be asked", "; ".join(found.failures))
    raise UsageError(
        f"no source holds {paper_id!r}",
        "; ".join(found.failures) or f"asked: {', '.join(s.name for s in library.sources)}",
        "take the id from `novum literature search`",
    )
