"""Judge whether an idea is new: the model asks and compares, the code counts and decides.

`known` names a retrieved work that resembles the idea. `novel` takes a number of answered searches, what differs
from each of the nearest works, and no retrieved work that says nearly the same. Anything else, every failure
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
from novum.ideation.wording import token_overlap, whole_sentences
from novum.literature.text import content_words
from novum.recorded_search import recorded_search
from novum.records import Idea, Novelty, Paper, Search
from novum.settings import Profile
from novum.tools import Question, Tools
from novum.untrusted import as_line

ROUNDS = {"quick": 2, "full": 10}
"""Most rounds in which a model asks the literature, by profile; the title is asked before them."""
ANSWERED = {"quick": 2, "full": 3}
"""Answered searches without which no idea is novel."""
SHOWN = {"quick": 6, "full": 12}
"""Most works shown to the model: of all that were found, those that resemble the idea most."""
NAMED = {"quick": 2, "full": 4}
"""Nearest works from which the model must set the idea apart (all of them, when fewer were found)."""
KNOWN_FROM = 0.26
"""Resemblance under which a work cannot make an idea known, whatever the model says."""
NOVEL_BELOW = 0.34
"""Resemblance of a work from which an idea cannot be novel, whatever the model says."""
_ABSTRACT = {"quick": 260, "full": 900}
_PER_SEARCH = 6
_ONLY_THE_TITLE = 80.0


class Queries(BaseModel):
    """What a model wants to ask the literature."""

    reasoning: str = Field(max_length=160)
    enough: bool
    queries: list[Annotated[str, Field(max_length=90)]] = Field(min_length=1, max_length=3)


class Decision(BaseModel):
    """A model's verdict.

    `_decision_schema` narrows `work` to the works that were shown, and adds a field for each of the nearest
    (`differs_from_W1` ...): what the idea asks that this work does not.
    """

    reasoning: str = Field(max_length=260)
    decision: Literal["known", "novel", "unsure"]
    work: str


class Work(NamedTuple):
    """A retrieved work as a prompt shows it; `W1` is the one that resembles the idea most."""

    label: str
    title: str
    year: int | None
    abstract: str
    paper: Paper
    resemblance: float


class _Evidence(NamedTuple):
    searches: tuple[Search, ...] = ()
    papers: tuple[Paper, ...] = ()

    @property
    def answered(self) -> int:
        return sum(search.answered for search in self.searches)

    @property
    def reached(self) -> int:
        """Answered searches that may speak for an idea's novelty.

        Where every other source failed, the index on this machine alone does not: it was to be only one of them.
        """
        return sum(s.answered and not (s.failures and set(s.sources) == {"offline"}) for s in self.searches)


def judge_novelty(tools: Tools, idea: Idea, number: int = 1) -> Idea:
    """The idea with its verdict (`idea.novelty`) and the evidence for it. Never raises because a source failed.

    `number` counts the ideas of the study, so that each has steps of its own.
    """
    step = "novelty" if number == 1 else f"novelty/idea_{number}"
    evidence = _gather(tools, idea, step)
    works = _nearest(idea, evidence.papers, tools.profile)
    if not evidence.answered:
        return _with(idea, "unknown", "no source of the literature could be asked", evidence, works)
    if not works:
        reason = "the searches found no work at all, which says more of the sources than of the idea"
        return _with(idea, "unknown", reason, evidence, works)
    decision = _decide(tools, idea, works, step)
    if decision is None:
        return _with(idea, "unknown", "the model gave no valid verdict", evidence, works)
    return _verdict(idea, decision, evidence, works, tools.profile)


# -- evidence ------------------------------------------------------------------------------------------


def _gather(tools: Tools, idea: Idea, step: str) -> _Evidence:
    """Search for the title, then for what the model asks, until it has enough or its rounds are over."""
    evidence = _search(tools, _Evidence(), idea.title)
    for round_ in range(1, ROUNDS[tools.profile] + 1):
        asked = _ask_queries(tools, idea, evidence, f"{step}/queries_{round_}")
        before = {search.query.lower() for search in evidence.searches}
        enough = evidence.answered >= ANSWERED[tools.profile]
        new = [query for query in _tidy(asked.queries) if query.lower() not in before]
        if enough and (asked.enough or not new):
            break
        new = new or [query for query in _own_queries(idea) if query.lower() not in before]
        if not new:
            break
        for query in new:
            evidence = _search(tools, evidence, query)
        if tools.is_small("ideas") and evidence.answered >= ANSWERED[tools.profile]:
            break  # a small model's second round asks the same again
    return evidence


def _ask_queries(tools: Tools, idea: Idea, evidence: _Evidence, step: str) -> Queries:
    inputs = {
        "idea": idea,
        "works": _nearest(idea, evidence.papers, tools.profile),
        "asked": [search.query for search in evidence.searches],
    }
    default = Queries(reasoning="", enough=False, queries=_own_queries(idea))
    return tools.ask(
        Question(
            step,
            "ideas",
            "novelty_query",
            inputs,
            max_tokens=250 if tools.is_small("ideas") else 1000,
            temperature=0.3,
        ),
        Queries,
        default=lambda: default,
        check=lambda answer: [] if _tidy(answer.queries) else ["no query has two words or more"],
    )


def _own_queries(idea: Idea) -> list[str]:
    """Queries for a model that has none of its own: the content words of the hypothesis' two halves."""
    words = list(dict.fromkeys(content_words(idea.hypothesis)))
    return _tidy([" ".join(words[:6]), " ".join(words[6:12]), " ".join(idea.hypothesis.split())])[:2]


def _tidy(queries: Sequence[str]) -> list[str]:
    """Queries as words only, at most 12 of them; single words and repetitions go."""
    plain = (
        " ".join("".join(c if c.isalnum() or c == "-" else " " for c in q).split()[:12]) for q in queries
    )
    return [q for q in dict.fromkeys(plain) if len(q.split()) >= 2]


def _search(tools: Tools, evidence: _Evidence, query: str) -> _Evidence:
    found = recorded_search(tools, query, _PER_SEARCH)
    known = {paper.id for paper in evidence.papers}
    new = (paper for paper in found.papers if paper.id not in known)
    return _Evidence((*evidence.searches, found.search), (*evidence.papers, *new))


def _nearest(idea: Idea, papers: Sequence[Paper], profile: Profile) -> tuple[Work, ...]:
    """The works that resemble the idea most, nearest first, as prompts show them."""
    ranked = sorted(papers, key=lambda paper: -resemblance(idea, paper))[: SHOWN[profile]]
    most = _ABSTRACT[profile]
    return tuple(
        Work(f"W{n}", as_line(p.title, 200), p.year, as_line(p.abstract, most), p, resemblance(idea, p))
        for n, p in enumerate(ranked, start=1)
    )


# -- the verdict ---------------------------------------------------------------------------------------


def _decide(tools: Tools, idea: Idea, works: Sequence[Work], step: str) -> Decision | None:
    """The model's decision, or None when it gave no valid one."""
    failed: list[Decision] = []

    def give_up() -> Decision:
        failed.append(Decision(reasoning="", decision="unsure", work="none"))
        return failed[0]

    named = works[: NAMED[tools.profile]]
    question = Question(
        f"{step}/verdict",
        "ideas",
        "novelty_verdict",
        {"idea": idea, "works": works, "named": [_differs(work) for work in named]},
        max_tokens=500 if tools.is_small("ideas") else 2000,
        temperature=0.2,
    )
    decision = tools.ask(question, _decision_schema(works, named), default=give_up, check=_problems)
    return None if failed else decision


def _decision_schema(works: Sequence[Work], named: Sequence[Work]) -> type[Decision]:
    choice: Any = Literal[(*(work.label for work in works), "none")]
    differences: dict[str, Any] = {_differs(work): (str, Field(max_length=180)) for work in named}
    return create_model("Decision", __base__=Decision, work=(choice, ...), **differences)


def _differs(work: Work) -> str:
    return f"differs_from_{work.label}"


def _difference(said: str, work: Work) -> str:
    """What was said to set the idea apart; "" for the work's title, which says nothing of the kind."""
    return "" if token_overlap(said, work.title) >= _ONLY_THE_TITLE else whole_sentences(said)


def _problems(decision: Decision) -> list[str]:
    if decision.decision == "known" and decision.work == "none":
        return ["`known` must name the work in `work`"]
    if decision.decision == "novel" and decision.work != "none":
        return ['`novel` goes with `work` = "none"']
    return []


def _verdict(
    idea: Idea, decision: Decision, evidence: _Evidence, works: Sequence[Work], profile: Profile
) -> Idea:
    said = decision.model_dump()
    differences = [_difference(said.get(_differs(work), ""), work) for work in works]
    reason = whole_sentences(decision.reasoning)
    if decision.decision == "known":
        work = next(w for w in works if w.label == decision.work)
        if work.resemblance >= KNOWN_FROM:
            return _with(idea, "known", reason, evidence, works, differences, known_as=work.paper.id)
        reason = f"the model called {work.title!r} the same work, but it shares hardly a word with the idea"
    elif decision.decision == "novel":
        doubt = _doubt(evidence, works, differences, profile)
        return _with(idea, "unknown" if doubt else "novel", doubt or reason, evidence, works, differences)
    return _with(idea, "unknown", reason, evidence, works, differences)


def _doubt(evidence: _Evidence, works: Sequence[Work], differences: Sequence[str], profile: Profile) -> str:
    """Why the idea cannot be called novel; "" when it can."""
    needed = ANSWERED[profile]
    if evidence.reached < needed <= evidence.answered:
        return "every source but the index on this machine failed, and it alone cannot call an idea novel"
    if evidence.answered < needed:
        return f"only {evidence.answered} searches were answered; {needed} are needed to call an idea novel"
    if works[0].resemblance >= NOVEL_BELOW:
        return f"the model called the idea novel, but {works[0].title!r} says nearly the same"
    named = zip(works[: NAMED[profile]], differences, strict=False)
    if same := next((work.title for work, difference in named if not difference), None):
        return f"the model did not say what sets the idea apart from {same!r}, one of the nearest works"
    return ""


def _with(
    idea: Idea,
    verdict: Literal["novel", "known", "unknown"],
    reason: str,
    evidence: _Evidence,
    works: Sequence[Work],
    differences: Sequence[str] = (),
    known_as: str = "",
) -> Idea:
    novelty = Novelty(
        verdict=verdict,
        reason=reason,
        searches=evidence.searches,
        nearest=tuple(work.paper for work in works),
        differences=tuple(differences),
        known_as=known_as,
    )
    return idea.model_copy(update={"novelty": novelty})
