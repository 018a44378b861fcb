"""Measure the literature: import and search.

    python benchmarks/literature.py FILE... [--index PATH] [--seed N]

FILEs are JSON lines (also .gz) with abstracts in part of them. An index that is there is used as it is. Prints
JSON. What each figure means is written in docs/literature.md.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from novum.literature.importing import import_file
from novum.literature.offline import OfflineIndex
from novum.literature.similarity import similarity
from novum.literature.text import STOPWORDS, title_key
from novum.records import Paper

NEAR_DUPLICATE = 0.5
"""Two works whose texts are so alike (cosine of their word sets) are one, and are withheld together."""

# Words as another author might put them; each is replaced where it stands, whatever the context.
_SYNONYMS = """
accuracy:correctness achieve:reach address:tackle algorithm:procedure analyze:examine approach:strategy
apply:use assume:suppose available:accessible based:building benchmark:test-bed better:superior bound:limit
challenge:difficulty class:category classification:categorisation combine:join common:usual compare:contrast
complex:intricate complexity:cost compute:calculate consider:study constraint:restriction construct:build
convergence:settling dataset:corpus data:observations decision:choice demonstrate:show dependency:reliance
design:devise detect:spot develop:create different:distinct difficult:hard distribution:law domain:field
dynamics:evolution effective:useful efficient:economical empirical:practical encode:represent
enable:permit error:mistake estimate:approximate estimation:approximation evaluate:assess evidence:proof
existing:current experiment:trial explore:probe extend:widen extensive:broad fast:quick feature:attribute
flexible:adaptable framework:scheme function:map general:broad generate:produce goal:aim graph:network
guarantee:assurance high:large human:person hypothesis:conjecture identify:recognise image:picture
important:central improve:raise improvement:gain increase:grow inference:deduction information:knowledge
input:stimulus introduce:bring issue:matter joint:shared key:main label:annotation language:speech large:big
layer:stage learn:acquire learning:acquisition leverage:exploit limited:scarce linear:proportional
local:nearby loss:penalty maintain:keep measure:quantify mechanism:device memory:storage method:technique
metric:yardstick model:predictor multiple:several natural:ordinary noise:disturbance novel:new
objective:target observe:see obtain:get online:sequential optimal:best optimization:minimisation
outperform:beat parameter:coefficient performance:quality policy:controller possible:feasible
practical:workable predict:forecast prediction:forecast present:describe previous:earlier prior:former
problem:question procedure:routine process:handle propose:suggest prove:establish provide:give
quality:merit random:stochastic rate:speed real-world:everyday recent:new recover:restore reduce:lower
regularization:smoothing relation:link rely:depend representation:encoding require:need research:work
result:outcome reward:payoff robust:stable sample:draw sampling:drawing scale:grow search:exploration
select:pick sensitive:responsive sequence:series show:reveal significant:marked similar:alike simple:plain
single:lone solution:answer solve:resolve space:domain sparse:thin standard:usual state:condition
strategy:tactic strong:firm structure:organisation study:examine suffer:hurt suggest:imply task:job
technique:method test:trial text:writing theoretical:formal theory:account time:duration tool:instrument
train:fit training:fitting transfer:carry uncertainty:doubt unknown:hidden update:revise use:employ
user:client value:worth variable:quantity various:diverse vector:array video:footage weight:coefficient
"""
_REPLACED = dict(pair.split(":") for pair in _SYNONYMS.split())


class Case(NamedTuple):
    """A published work and its abstract reworded as an idea."""

    paper: Paper
    idea: str


def reword(paper: Paper, rng: random.Random) -> str:
    """The abstract as somebody else's idea: sentences dropped and shuffled, names gone, words replaced."""
    names = set(re.findall(r"\b\w*[A-Z]\w*[A-Z]\w*\b", paper.title + " " + paper.abstract))
    sentences = re.split(r"(?<=[.!?])\s+", paper.abstract)
    kept = rng.sample(sentences, max(2, round(0.7 * len(sentences)))) if len(sentences) > 2 else sentences
    rng.shuffle(kept)
    told = (_replaced(word) for word in " ".join(kept).split() if word.strip(".,:;()") not in names)
    return " ".join(told)


def _replaced(word: str) -> str:
    bare = word.lower().strip(".,:;()'\"")
    for ending in ("", "s", "d", "ed", "ing"):
        base = bare.removesuffix(ending) if ending else bare
        if base in _REPLACED:
            return _REPLACED[base] + ending
    return word


# -- search --------------------------------------------------------------------------------------------


def recall(index: OfflineIndex, cases: Sequence[tuple[Paper, str]]) -> dict[str, float]:
    """Share of works found in the first ten, and the time that the searches took, by the clock and of the processor."""
    found, seconds, busy = 0, [], []
    for paper, query in cases:
        began, began_cpu = time.perf_counter(), time.process_time()
        answer = index.search(query, 10)
        seconds.append(time.perf_counter() - began)
        busy.append(time.process_time() - began_cpu)
        found += any(p.id == paper.id for p in answer)
    return {
        "searches": len(cases),
        "found_in_10": round(found / len(cases), 4),
        "median_ms": _milliseconds(statistics.median(seconds)),
        "p99_ms": _milliseconds(sorted(seconds)[int(0.99 * len(seconds))]),
        "median_cpu_ms": _milliseconds(statistics.median(busy)),
        "p99_cpu_ms": _milliseconds(sorted(busy)[int(0.99 * len(busy))]),
    }


def _milliseconds(seconds: float) -> float:
    return round(1000 * seconds, 1)


def eight_words(paper: Paper, rng: random.Random) -> str:
    """Eight different content words of the abstract."""
    bare = dict.fromkeys(re.findall(r"[^\W_]{3,}", paper.abstract.lower()))
    content = [w for w in bare if w not in STOPWORDS]
    return " ".join(rng.sample(content, min(8, len(content))))


# -- reworded ideas, for benchmarks/novelty.py -----------------------------------------------------------


def is_the_same(paper: Paper, other: Paper) -> bool:
    """Whether `other` is the work itself or a near-duplicate of it."""
    if paper.id == other.id or title_key(paper.title) == title_key(other.title):
        return True
    return similarity(f"{paper.title} {paper.abstract}", other) >= NEAR_DUPLICATE


def main() -> None:
    """Run everything and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--index", type=Path, default=Path(tempfile.mkdtemp()) / "literature.db")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    began = time.perf_counter()
    index = OfflineIndex(options.index)
    new = sum(import_file(index, file).new for file in options.files)
    report: dict[str, Any] = {
        "works": index.stats().works,
        "imported": new,
        "import_s": round(time.perf_counter() - began, 1),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "index_mb": index.stats().bytes >> 20,
    }
    papers = list(index.papers())
    drawn = rng.sample(papers, 1000)
    with_abstract = [p for p in papers if len(p.abstract.split()) >= 30]
    report["by_title"] = recall(index, [(p, p.title) for p in drawn])
    sampled = rng.sample(with_abstract, 1000)
    report["by_eight_words"] = recall(index, [(p, eight_words(p, rng)) for p in sampled])
    json.dump(report, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
