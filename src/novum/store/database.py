"""The SQLite file of the index: its tables, opening it, and replacing what it holds about one study.

Everything in it is derived from study folders. So a file that is damaged, or of another version of novum, is
thrown away, never repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from novum.errors import StudyError

VERSION = 2
"""Of the tables. A file with another one is made anew."""
IN_MEMORY = Path(":memory:")
"""In the place of a file that cannot be written."""
BUSY_S = 10.0
"""How long to wait for another process that writes."""

_METADATA = sa.MetaData()


def _table(name: str, *columns: sa.Column[Any]) -> sa.Table:
    return sa.Table(name, _METADATA, *columns)


def _study_key() -> sa.Column[Any]:
    return sa.Column("study", sa.String, primary_key=True)


STUDIES = _table(
    "studies",
    _study_key(),
    sa.Column("folder", sa.String, nullable=False),
    sa.Column("log_bytes", sa.Integer, nullable=False),
    sa.Column("log_time", sa.Float, nullable=False),
    sa.Column("template", sa.String, nullable=False),
    sa.Column("profile", sa.String, nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("phase", sa.String, nullable=False),
    sa.Column("finished", sa.Boolean, nullable=False),
    sa.Column("answered_share", sa.Float),
    sa.Column("audit_passes", sa.Boolean),
    sa.Column("problem", sa.String, nullable=False),
)
IDEAS = _table(
    "ideas",
    _study_key(),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("hypothesis", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("novelty", sa.String, nullable=False),
)
RUNS = _table(
    "runs",
    _study_key(),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("git_commit", sa.String, nullable=False),
    sa.Column("edited", sa.Boolean, nullable=False),
    sa.Column("wall_s", sa.Float, nullable=False),
)
CALLS = _table(
    "calls",
    _study_key(),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("step", sa.String, nullable=False),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("lost", sa.Boolean, nullable=False),
    sa.Column("prompt_tokens", sa.Integer, nullable=False),
    sa.Column("cached_tokens", sa.Integer, nullable=False),
    sa.Column("output_tokens", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("dollars", sa.Float),
)
REVIEWS = _table(
    "reviews",
    _study_key(),
    sa.Column("draft", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("overall", sa.Integer, nullable=False),
    sa.Column("decision", sa.String, nullable=False),
)
TABLES = (STUDIES, IDEAS, RUNS, CALLS, REVIEWS)


class Rows(NamedTuple):
    """What the index holds about one study, by table, in the order of `TABLES`."""

    studies: Sequence[dict[str, Any]]
    ideas: Sequence[dict[str, Any]] = ()
    runs: Sequence[dict[str, Any]] = ()
    calls: Sequence[dict[str, Any]] = ()
    reviews: Sequence[dict[str, Any]] = ()


@contextmanager
def writing(path: Path, warn: Callable[[str], None]) -> Iterator[sa.Connection]:
    """A transaction on the index at `path`, which is made, or made anew, when it is not usable.

    Raises:
        StudyError: the file cannot be opened or written, or another process keeps it busy.
    """
    try:
        engine = _usable(path, warn)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()
    except sa.exc.DBAPIError as error:
        raise StudyError(
            f"cannot use the index {path}",
            str(error.orig),
            "check that the workspace is writable and the disk is not full; the file can be deleted at any time",
        ) from error


def _usable(path: Path, warn: Callable[[str], None]) -> sa.Engine:
    engine = _engine(path)
    try:
        _check(engine)
    except sa.exc.OperationalError:
        engine.dispose()
        raise
    except sa.exc.DatabaseError as error:
        warn(f"the index {path} is damaged ({error.orig}); it is made again from the study folders")
        engine.dispose()
        delete(path)
        engine = _engine(path)
    _prepare(engine)
    return engine


def _engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_S})

    @sa.event.listens_for(engine, "connect")
    def _(connection: Any, _record: object) -> None:
        # Readers do not wait for a writer; a power cut loses at most what can be derived again.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    return engine


def _check(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if found != "ok":
            raise sa.exc.DatabaseError("PRAGMA quick_check", None, ValueError(found))


def _prepare(engine: sa.Engine) -> None:
    """Make the tables where they are missing or of another version."""
    with engine.begin() as connection:
        if _version(connection) == VERSION:
            return
        # The lock is taken before the second look: another process may be making them now.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        if _version(connection) == VERSION:
            return
        _METADATA.drop_all(connection)
        _METADATA.create_all(connection)
        connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")


def _version(connection: sa.Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def delete(path: Path) -> None:
    """Remove the index and the files that SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def replace_study(connection: sa.Connection, study: str, rows: Rows | None) -> None:
    """Put `rows` in the place of all that the index holds about `study`; None removes it."""
    for table in TABLES:
        connection.execute(sa.delete(table).where(table.c.study == study))
    for table, own in zip(TABLES, rows or (), strict=False):
        if own:
            connection.execute(sa.insert(table), [{"study": study, **row} for row in own])


def known_logs(connection: sa.Connection) -> dict[str, tuple[int, float]]:
    """Size and time of each study's event log when it was indexed."""
    chosen = sa.select(STUDIES.c.study, STUDIES.c.log_bytes, STUDIES.c.log_time)
    return {study: (size, when) for study, size, when in connection.execute(chosen)}


def overview(connection: sa.Connection) -> list[dict[str, Any]]:
    """One row a study, oldest first: its own columns, its idea, sums over its calls, its meta-review."""
    calls = (
        sa.select(
            CALLS.c.study,
            sa.func.sum(sa.case((CALLS.c.lost, 0), else_=1)).label("model_calls"),
            sa.func.sum(CALLS.c.prompt_tokens).label("prompt_tokens"),
            sa.func.sum(CALLS.c.output_tokens).label("output_tokens"),
            # One unknown price makes the sum unknown: SUM alone would skip it.
            sa.case((sa.func.count() == sa.func.count(CALLS.c.dollars), sa.func.sum(CALLS.c.dollars))).label(
                "dollars"
            ),
        )
        .group_by(CALLS.c.study)
        .subquery()
    )
    meta = sa.select(REVIEWS).where(REVIEWS.c.name == "meta", REVIEWS.c.draft == "0").subquery()
    chosen = (
        sa.select(
            STUDIES,
            IDEAS.c.title.label("idea"),
            sa.func.coalesce(calls.c.model_calls, 0).label("model_calls"),
            sa.func.coalesce(calls.c.prompt_tokens, 0).label("prompt_tokens"),
            sa.func.coalesce(calls.c.output_tokens, 0).label("output_tokens"),
            calls.c.dollars,
            meta.c.overall,
            meta.c.decision,
        )
        .select_from(STUDIES)
        .outerjoin(IDEAS, IDEAS.c.study == STUDIES.c.study)
        .outerjoin(calls, calls.c.study == STUDIES.c.study)
        .outerjoin(meta, meta.c.study == STUDIES.c.study)
        .order_by(STUDIES.c.created, STUDIES.c.study)
    )
    return [dict(row._mapping) for row in connection.execute(chosen)]
