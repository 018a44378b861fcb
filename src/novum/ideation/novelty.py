"""Judge whether an idea is new: the model asks and compares, the code counts and decides.

`known` names a retrieved work that resembles the idea. `novel` takes a number of answered searches, the nearest
works with what differs from each, and no retrieved work that says nearly the same. Anything else, every failure
among it, is `unknown`: an unreachable source never makes an idea novel.

Retrieved text is untrusted. It stands in prompts as data without markers and without sentences that address a
model; the model can only choose among labels that the code gave; and what it chooses is held against a
similarity that the code computes, so that an abstract that talks a model into a verdict does not get it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, Field, create_model

from novum.ideation.similarity import resemblance
from novum.ideation.wording import whole_sentences
from novum.recorded_search import recorded_search
from novum.records import Idea, Novelty, Paper, Search
from novum.tools import Question, Tools
from novum.untrusted import as_line

ROUNDS = {"quick": 2, "full": 10}
"""Most rounds in which a model asks the literature, by profile; the title is asked before them."""
ANSWERED = {"quick": 2, "full": 3}
"""Answered searches without which no idea is novel."""
SHOWN = {"quick": 6, "full": 12}
"""Most works shown to the model. They keep their places, so that a prompt only grows at its end."""
NAMED = 2
"""Nearest works that a verdict `novel` must set the idea apart from (all of them, when fewer were found)."""
KNOWN_FROM = 0.15
"""Resemblance under which a work cannot make an idea known, whatever the model says."""
NOVEL_BELOW = 0.40
"""Resemblance of a work from which an idea cannot be novel, whatever the model says."""
_ABSTRACT = {"quick": 260, "full": 900}
_PER_SEARCH = 6


class Queries(BaseModel):
    """What a model wants to ask the literature."""

    reasoning: str = Field(max_length=160)
    enough: bool
    queries: list[Annotated[str, Field(max_length=90)]] = Field(min_length=1, max_length=3)


class Difference(BaseModel):
    """What sets the idea apart from one work."""

    work: str
    differs: str = Field(max_length=180)


class Decision(BaseModel):
    """A model's verdict; `_decision_schema` narrows the labels to those that were shown."""

    reasoning: str = Field(max_length=260)
    decision: Literal["known", "novel", "unsure"]
    work: str
    differences: list[Difference]


class Work(NamedTuple):
    """A retrieved work as a prompt shows it."""

    label: str
    title: str
    year: int | None
    abstract: str
    paper: Paper


class _Evidence(NamedTuple):
    searches: tuple[Search, ...]
    works: tuple[Work, ...]

    @property
    def answered(self) -> int:
        return sum(search.answered for search in self.searches)


def judge_novelty(tools: Tools, idea: Idea) -> Idea:
    """The idea with its verdict (`idea.novelty`) and the evidence for it. Never raises because a source failed."""
    evidence = _gather(tools, idea)
    nearest = _nearest(idea, evidence.works)
    if not evidence.answered:
        return _with(idea, "unknown", "no source of the literature could be asked", evidence, nearest)
    if not evidence.works:
        reason = "the searches found no work at all, which says more of the sources than of the idea"
        return _with(idea, "unknown", reason, evidence, nearest)
    decision = _decide(tools, idea, evidence)
    if decision is None:
        return _with(idea, "unknown", "the model gave no valid verdict", evidence, nearest)
    return _verdict(idea, decision, evidence, nearest, ANSWERED[tools.profile])


# -- evidence ------------------------------------------------------------------------------------------


def _gather(tools: Tools, idea: Idea) -> _Evidence:
    """Search for the title, then for what the model asks, until it has enough or its rounds are over."""
    evidence = _search(tools, _Evidence((), ()), idea.title)
    for round_ in range(1, ROUNDS[tools.profile] + 1):
        asked = _ask_queries(tools, idea, evidence, f"novelty/queries_{round_}")
        new = [
            q for q in _tidy(asked.queries) if q.lower() not in {s.query.lower() for s in evidence.searches}
        ]
        if not new or (asked.enough and evidence.answered >= ANSWERED[tools.profile]):
            break
        for query in new:
            evidence = _search(tools, evidence, query)
        if tools.is_small("ideas") and evidence.answered >= ANSWERED[tools.profile]:
            break  # a small model's second round asks the same again
    return evidence


def _ask_queries(tools: Tools, idea: Idea, evidence: _Evidence, step: str) -> Queries:
    asked = [search.query for search in evidence.searches]
    inputs = {"idea": idea, "works": evidence.works, "asked": asked}
    # The default asks for the hypothesis: not clever, but about the idea.
    default = Queries(reasoning="", enough=False, queries=[" ".join(idea.hypothesis.split()[:12])])
    return tools.ask(
        Question(step, "ideas", "novelty_query", inputs, max_tokens=220, temperature=0.3),
        Queries,
        default=lambda: default,
        check=lambda answer: [] if _tidy(answer.queries) else ["no query has two words or more"],
    )


def _tidy(queries: Sequence[str]) -> list[str]:
    """Queries as words only, at most 12 of them; single words and repetitions go."""
    plain = (
        " ".join("".join(c if c.isalnum() or c == "-" else " " for c in q).split()[:12]) for q in queries
    )
    return [q for q in dict.fromkeys(plain) if len(q.split()) >= 2]


def _search(tools: Tools, evidence: _Evidence, query: str) -> _Evidence:
    found = recorded_search(tools, query, _PER_SEARCH)
    works = list(evidence.works)
    known = {work.paper.id for work in works}
    for paper in found.papers:
        if paper.id not in known and len(works) < SHOWN[tools.profile]:
            works.append(_work(f"W{len(works) + 1}", paper, _ABSTRACT[tools.profile]))
            known.add(paper.id)
    return _Evidence((*evidence.searches, found.search), tuple(works))


def _work(label: str, paper: Paper, most: int) -> Work:
    return Work(label, as_line(paper.title, 200), paper.year, as_line(paper.abstract, most), paper)


def _nearest(idea: Idea, works: Sequence[Work]) -> tuple[Work, ...]:
    """The works by their resemblance to the idea, nearest first."""
    return tuple(sorted(works, key=lambda work: -resemblance(idea, work.paper)))


# -- the verdict ---------------------------------------------------------------------------------------


def _decide(tools: Tools, idea: Idea, evidence: _Evidence) -> Decision | None:
    failed: list[Decision] = []

    def give_up() -> Decision:
        failed.append(Decision(reasoning="", decision="unsure", work="none", differences=[]))
        return failed[0]

    inputs = {"idea": idea, "works": evidence.works}
    decision = tools.ask(
        Question("novelty/verdict", "ideas", "novelty_verdict", inputs, max_tokens=420, temperature=0.2),
        _decision_schema([work.label for work in evidence.works]),
        default=give_up,
        check=lambda answer: _problems(answer),
    )
    return None if failed else decision


def _decision_schema(labels: Sequence[str]) -> type[Decision]:
    names: Any = Literal[tuple(labels)]
    none_too: Any = Literal[(*labels, "none")]
    difference = create_model("Difference", __base__=Difference, work=(names, ...))
    least = min(NAMED, len(labels))
    many: Any = list[difference]
    return create_model(
        "Decision",
        __base__=Decision,
        work=(none_too, ...),
        differences=(many, Field(min_length=least, max_length=max(least, 3))),
    )


def _problems(decision: Decision) -> list[str]:
    if decision.decision == "known" and decision.work == "none":
        return ["`known` must name the work in `work`"]
    if decision.decision == "novel" and decision.work != "none":
        return ['`novel` goes with `work` = "none"']
    return []


def _verdict(
    idea: Idea, decision: Decision, evidence: _Evidence, nearest: Sequence[Work], needed: int
) -> Idea:
    said = {d.work: whole_sentences(d.differs) for d in decision.differences}
    reason = whole_sentences(decision.reasoning)
    if decision.decision == "known":
        work = next(w for w in evidence.works if w.label == decision.work)
        if resemblance(idea, work.paper) < KNOWN_FROM:
            reason = (
                f"the model called {work.title!r} the same work, but it shares hardly a word with the idea"
            )
            return _with(idea, "unknown", reason, evidence, nearest, said)
        return _with(idea, "known", reason, evidence, nearest, said, known_as=work.paper.id)
    if decision.decision == "novel":
        doubt = _doubt(idea, evidence, nearest, said, needed)
        return _with(idea, "unknown" if doubt else "novel", doubt or reason, evidence, nearest, said)
    return _with(idea, "unknown", reason, evidence, nearest, said)


def _doubt(
    idea: Idea, evidence: _Evidence, nearest: Sequence[Work], said: dict[str, str], needed: int
) -> str:
    """Why the idea cannot be called novel; "" when it can."""
    if evidence.answered < needed:
        return f"only {evidence.answered} searches were answered; {needed} are needed to call an idea novel"
    if resemblance(idea, nearest[0].paper) >= NOVEL_BELOW:
        return f"the model called the idea novel, but {nearest[0].title!r} says nearly the same"
    if len(said) < min(NAMED, len(nearest)):
        return "the model did not say what sets the idea apart from the nearest works"
    return ""


def _with(
    idea: Idea,
    verdict: Literal["novel", "known", "unknown"],
    reason: str,
    evidence: _Evidence,
    nearest: Sequence[Work],
    said: dict[str, str] | None = None,
    known_as: str = "",
) -> Idea:
    said = said or {}
    novelty = Novelty(
        verdict=verdict,
        reason=reason,
        searches=evidence.searches,
        nearest=tuple(work.paper for work in nearest),
        differences=tuple(said.get(work.label, "") for work in nearest),
        known_as=known_as,
    )
    return idea.model_copy(update={"novelty": novelty})
