"""Measure novelty: is a published idea, reworded, recognised, and one whose paper is withheld not?

    python benchmarks/novelty.py --index PATH [--seed N] [--ideas N]

The verdict is that of `judge_novelty`, with the measure and the bounds of the product and scripted models that say the
same of every idea: all `known` (as the nearest work), or all `novel`. So what is counted is what the code holds,
whatever a model says. The model asks three queries of the idea's rarest words. Bounds are chosen on one split of
ideas and judged on another. PATH is an index that benchmarks/literature.py made. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from literature import Case, is_the_same, reword

from novum.events import EventLog
from novum.ideation.novelty import KNOWN_FROM, NOVEL_BELOW, judge_novelty
from novum.ideation.similarity import resemblance
from novum.literature.library import Library
from novum.literature.offline import OfflineIndex
from novum.literature.text import words
from novum.llm import Capabilities, Request
from novum.llm.scripted import ScriptedModel
from novum.records import Idea, Novelty, Paper
from novum.settings import ROLES
from novum.store import StudyFolder
from novum.template import Template, load_template
from novum.tools import Tools

THRESHOLDS = [n / 100 for n in range(12, 65, 2)]
MOST_KNOWN, MOST_DOUBTED = 0.10, 0.01
"""Most ideas whose paper is withheld that may be called known, and that may not be called novel."""
_QUERY_CHARS = 90
_TITLE_WORDS = 10
Say = Literal["known", "novel"]


class Remembered:
    """The index, which answers the same query once; `without` is withheld together with its near-duplicates."""

    name = "offline"

    def __init__(self, index: OfflineIndex, without: Paper | None) -> None:
        self._index = index
        self._without = without
        self._answers: dict[tuple[str, int], list[Paper]] = {}

    def search(self, query: str, limit: int = 10) -> list[Paper]:
        if (query, limit) not in self._answers:
            found = self._index.search(query, limit if self._without is None else 2 * limit)
            if self._without is not None:
                found = [p for p in found if not is_the_same(self._without, p)]
            self._answers[(query, limit)] = found[:limit]
        return self._answers[(query, limit)]

    def lookup(self, paper_id: str) -> Paper | None:
        return self._index.lookup(paper_id)


class Trial(NamedTuple):
    """One idea and the literature that it is judged by."""

    idea: Idea
    queries: list[str]
    library: Library


class Judged(NamedTuple):
    """How far the nearest work resembles an idea, and the verdicts when a model calls everything known, or novel."""

    nearest: float
    known: bool
    novel: bool


def trial(index: OfflineIndex, case: Case, *, withheld: bool) -> Trial:
    """The idea with a title made of its first words, and the queries that a sensible model would write."""
    title = " ".join(case.idea.split()[:_TITLE_WORDS])
    idea = Idea(name="reworded", title=title, hypothesis=case.idea, plan="")
    told = list(dict.fromkeys(re.findall(r"[^\W\d_]{3,}", case.idea.lower())))
    telling = sorted((w for w in told if words(w)), key=lambda w: index.works_with(words(w)[0]))
    queries = [_cut(telling[:12]), _cut(telling[6:18]), _cut(told[:20])]
    return Trial(idea, queries, Library([Remembered(index, case.paper if withheld else None)]))


def _cut(chosen: Sequence[str]) -> str:
    return " ".join(chosen)[:_QUERY_CHARS].rsplit(" ", 1)[0]


def novelty(made: Trial, say: Say, template: Template, folder: Path) -> Novelty:
    """What `judge_novelty` says of the idea when the model says `say`."""

    def reply(request: Request) -> str:
        if "queries" in request.step:
            return json.dumps({"reasoning": "", "enough": True, "queries": made.queries})
        fields = (request.json_schema or {})["properties"]
        said = dict.fromkeys((f for f in fields if f.startswith("differs")), "It asks another question.")
        work = "W1" if say == "known" else "none"
        return json.dumps({"reasoning": "", "decision": say, "work": work, **said})

    model = ScriptedModel("scripted:stubborn", reply, capabilities=Capabilities(json_schema=True))
    path = folder / "events.jsonl"
    path.unlink(missing_ok=True)
    with EventLog(path) as log:
        tools = Tools(
            folder=StudyFolder(folder),
            log=log,
            template=template,
            models=dict.fromkeys(ROLES, model),
            sandbox=None,  # type: ignore[arg-type]  # novelty runs nothing
            library=made.library,
            profile="full",
        )
        judged = judge_novelty(tools, made.idea).novelty
    assert judged is not None
    return judged


def judge(made: Trial, template: Template, folder: Path) -> Judged:
    """Both verdicts on an idea."""
    known, novel = (novelty(made, say, template, folder) for say in ("known", "novel"))
    nearest = max((resemblance(made.idea, paper) for paper in known.nearest), default=0.0)
    return Judged(nearest, known.verdict == "known", novel.verdict == "novel")


def share(judged: Sequence[Judged], threshold: float) -> float:
    """Share of ideas whose nearest work resembles them so much."""
    return sum(j.nearest >= threshold for j in judged) / len(judged)


def bound(withheld: Sequence[Judged], most: float) -> float:
    """The lowest threshold that at most this share of the ideas reaches whose paper is withheld."""
    return next(t for t in THRESHOLDS if share(withheld, t) <= most)


def main() -> None:
    """Run everything and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--ideas", type=int, default=200)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    index = OfflineIndex(options.index)
    template = load_template("epidemic")
    long = [p for p in index.papers() if len(p.abstract.split()) >= 80]
    cases = [Case(p, reword(p, rng)) for p in rng.sample(long, 2 * options.ideas)]
    report: dict[str, Any] = {"ideas": options.ideas, "bounds": [KNOWN_FROM, NOVEL_BELOW]}
    splits = {"chosen_on": cases[: options.ideas], "measured_on": cases[options.ideas :]}
    with tempfile.TemporaryDirectory() as folder:
        for name, part in splits.items():
            kept, gone = (
                [judge(trial(index, case, withheld=w), template, Path(folder)) for case in part]
                for w in (False, True)
            )
            report[name] = {
                "curve": [[t, share(kept, t), share(gone, t)] for t in THRESHOLDS],
                "bounds": [bound(gone, MOST_KNOWN), bound(gone, MOST_DOUBTED)],
                "known": [sum(j.known for j in kept) / len(kept), sum(j.known for j in gone) / len(gone)],
                "novel": [sum(j.novel for j in kept) / len(kept), sum(j.novel for j in gone) / len(gone)],
            }
    json.dump(report, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
