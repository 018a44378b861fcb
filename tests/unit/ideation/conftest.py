"""Tools around a function that plays the model, and a literature that can fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from novum.errors import SourceError
from novum.events import EventLog
from novum.literature.library import Library
from novum.llm import Capabilities, Request
from novum.llm.scripted import ScriptedModel
from novum.records import Paper
from novum.sandbox import Sandbox
from novum.settings import ROLES, Profile
from novum.store import StudyFolder
from novum.template import Template, load_template
from novum.tools import Tools

Player = Callable[[Request], Any]
MakeTools = Callable[..., Tools]


class Shelf:
    """A source that answers every query with the same works, counts its queries, and can be down."""

    name = "shelf"

    def __init__(self, *papers: Paper, down: bool = False) -> None:
        self.papers = list(papers)
        self.down = down
        self.queries: list[str] = []

    def search(self, query: str, limit: int = 10) -> list[Paper]:
        self.queries.append(query)
        if self.down:
            raise SourceError("the shelf is down")
        return self.papers[:limit]

    def lookup(self, paper_id: str) -> Paper | None:
        return next((p for p in self.papers if p.id == paper_id), None)


class NoSandbox:
    """Ideation runs nothing."""

    name = "none"
    level = "none"

    def run(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("ideation must not run anything")


@pytest.fixture(scope="session")
def epidemic() -> Template:
    return load_template("epidemic")


@pytest.fixture
def make_tools(tmp_path: Path, epidemic: Template) -> Iterator[MakeTools]:
    """`make_tools(player, small=..., profile=..., shelf=..., seed=...)`; the same log on every call."""
    with EventLog(tmp_path / "events.jsonl") as log:

        def make(
            player: Player,
            *,
            small: bool = True,
            profile: Profile = "quick",
            shelf: Shelf | None = None,
            seed: int = 0,
            template: Template = epidemic,
        ) -> Tools:
            def reply(request: Request) -> str:
                said = player(request)
                return said if isinstance(said, str) else json.dumps(said)

            model = ScriptedModel(
                "scripted:test", reply, capabilities=Capabilities(json_schema=True, small=small)
            )
            sandbox: Sandbox = NoSandbox()
            return Tools(
                folder=StudyFolder(tmp_path),
                log=log,
                template=template,
                models=dict.fromkeys(ROLES, model),
                sandbox=sandbox,
                library=Library([shelf] if shelf else []),
                profile=profile,
                seed=seed,
            )

        yield make
