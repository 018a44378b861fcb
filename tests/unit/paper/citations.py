"""Two works, a draft that one of them supports, and a scripted model that cites."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

from novum.events import EventLog
from novum.literature.library import Library
from novum.literature.scripted import ScriptedSource
from novum.llm import Request
from novum.paper.citations import Shelf, Work
from novum.paper.document import Block, Section
from novum.records import Paper
from novum.store import StudyFolder
from novum.template import Template
from novum.tools import Tools

from .conftest import LARGE, SMALL, tools_for

WAVES = Paper(
    id="doi:10.1/waves",
    title="Second Waves after School Closures",
    authors=("Ann Lee", "Bo Chan"),
    year=2011,
    abstract="School closures that end too soon are followed by second waves of infection in a town.",
)
SORTING = Paper(
    id="doi:10.1/sorting",
    title="Sorting Networks of Small Depth",
    authors=("Cy Dow",),
    year=1990,
    abstract="Networks that sort with few comparators.",
)
NEED = "Closures of schools that end early are followed by second waves of infection."
OTHER = "People who stay at home meet fewer other people on a day."


def sections(*background: Block) -> tuple[Section, ...]:
    blocks = background or (Block(f"{NEED} {OTHER}", "model"),)
    return (Section("background", "Background", blocks), Section("related", "Related Work", ()))


Player = Callable[[Request], dict[str, Any]]


SHELF = Shelf((Work("waves", WAVES, "waves"), Work("sorting", SORTING, "sorting", declared=False)))
CITING = rf"{NEED[:-1]}~\cite{{waves,sorting}}."


def maker(folder: StudyFolder, log: EventLog, template: Template) -> Callable[..., Tools]:
    """Tools of a study around a player of replies, a large or a small model, and a profile."""

    def make(player: Player, *, small: bool = False, full: bool = True, source: Any = None) -> Tools:
        library = Library([source or ScriptedSource([WAVES, SORTING])])
        made = tools_for(
            folder, log, template, lambda r: json.dumps(player(r)), SMALL if small else LARGE, library
        )
        return dataclasses.replace(made, profile="full" if full else "quick")

    return make


def player(**replies: dict[str, Any]) -> Player:
    """Replies by the kind of step: `need`, `pick`, `judge`, `related`; the first `need` alone names a sentence."""

    def play(request: Request) -> dict[str, Any]:
        kind, _, number = request.step.removeprefix("write/cite/").partition("/")[0].rpartition("_")
        if kind == "need" and number != "1":
            return {"reasoning": "", "sentence": "none", "query": ""}
        default = {
            "need": {"reasoning": "", "sentence": "S1", "query": "second waves school closures"},
            "pick": {"reasoning": "", "work": "W1", "after": "Closures of schools"},
            "judge": {"reasoning": "", "verdict": "supports"},
            "related": {"works": []},
        }
        return replies.get(kind, default[kind])

    return play


def noted(tools: Tools, field: str) -> list[dict[str, Any]]:
    return [e.data for e in tools.log.events("citation") if field in e.data]


EMPTY = Shelf(())
