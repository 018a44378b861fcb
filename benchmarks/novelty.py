"""Measure novelty: is a published idea, reworded, called known, and one whose paper is withheld not?

    python benchmarks/novelty.py --index PATH [--seed N] [--ideas N]

The verdict is that of `judge_novelty` with a scripted model. It asks three queries of the idea's rarest words, sees the
works that the prompt shows, and says `known` of the nearest when its similarity passes a threshold, `novel`
otherwise. The threshold is chosen on one split of ideas and judged on another. PATH is an index that
benchmarks/literature.py made. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from literature import Case, is_the_same, reword

from novum.events import EventLog
from novum.ideation.novelty import judge_novelty
from novum.literature.library import Library
from novum.literature.offline import OfflineIndex
from novum.literature.similarity import similarity
from novum.literature.text import words
from novum.llm import Capabilities, Request
from novum.llm.scripted import ScriptedModel
from novum.records import Idea, Paper
from novum.settings import ROLES
from novum.store import StudyFolder
from novum.template import Template, load_template
from novum.tools import Tools

THRESHOLDS = [n / 100 for n in range(16, 65, 4)]
_WORK = re.compile(r"^(W\d+): (.+)$", re.MULTILINE)
_QUERY_CHARS = 90
_TITLE_WORDS = 10


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


def trial(index: OfflineIndex, case: Case, *, withheld: bool) -> Trial:
    """The idea with a title made of its first words, and the queries that a sensible model would write."""
    title = " ".join(case.idea.split()[:_TITLE_WORDS])
    idea = Idea(name="reworded", title=title, hypothesis=case.idea, plan="")
    told = list(dict.fromkeys(re.findall(r"[^\W\d_]{3,}", case.idea.lower())))
    telling = sorted((w for w in told if words(w)), key=lambda w: -index.rarity(words(w)[0]))
    queries = [_cut(telling[:12]), _cut(telling[6:18]), _cut(told[:20])]
    return Trial(idea, queries, Library([Remembered(index, case.paper if withheld else None)]))


def _cut(chosen: Sequence[str]) -> str:
    return " ".join(chosen)[:_QUERY_CHARS].rsplit(" ", 1)[0]


def verdict(made: Trial, threshold: float, template: Template, folder: Path) -> str:
    """What `judge_novelty` says of the idea."""

    def reply(request: Request) -> str:
        if "queries" in request.step:
            return json.dumps({"reasoning": "", "enough": True, "queries": made.queries})
        shown = _WORK.findall(request.messages[-1].text)
        scored = [(similarity(made.idea.hypothesis, Paper(id=k, title=t)), k) for k, t in shown]
        best, label = max(scored, default=(0.0, "none"))
        known = best >= threshold
        fields = (request.json_schema or {})["properties"]
        said = dict.fromkeys((f for f in fields if f.startswith("differs")), "It asks another question.")
        decision = {"decision": "known" if known else "novel", "work": label if known else "none"}
        return json.dumps({"reasoning": "", **decision, **said})

    model = ScriptedModel("scripted:threshold", reply, capabilities=Capabilities(json_schema=True))
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
    return judged.verdict if judged else "none"


def curve(
    index: OfflineIndex, cases: Sequence[Case], folder: Path, *, withheld: bool
) -> dict[float, Counter[str]]:
    """Verdicts over the cases, by threshold."""
    template = load_template("epidemic")
    trials = [trial(index, case, withheld=withheld) for case in cases]
    return {t: Counter(verdict(made, t, template, folder) for made in trials) for t in THRESHOLDS}


def main() -> None:
    """Run everything and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--ideas", type=int, default=200)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    index = OfflineIndex(options.index)
    long = [p for p in index.papers() if len(p.abstract.split()) >= 80]
    cases = [Case(p, reword(p, rng)) for p in rng.sample(long, 2 * options.ideas)]
    report: dict[str, Any] = {"ideas": options.ideas}
    with tempfile.TemporaryDirectory() as folder:
        for name, part in (("chosen_on", cases[: options.ideas]), ("measured_on", cases[options.ideas :])):
            kept, gone = (curve(index, part, Path(folder), withheld=w) for w in (False, True))
            n = len(part)
            rows = [[t, kept[t]["known"] / n, gone[t]["known"] / n, gone[t]["novel"] / n] for t in THRESHOLDS]
            report[name] = rows
    gains = {row[0]: row[1] - row[2] for row in report["chosen_on"]}
    best = statistics.median_low([t for t, gain in gains.items() if gain == max(gains.values())])
    _, known, withheld, novel = next(row for row in report["measured_on"] if row[0] == best)
    report |= {
        "threshold": best,
        "known": known,
        "known_when_withheld": withheld,
        "novel_when_withheld": novel,
    }
    json.dump(report, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
