"""Ask a small model for paragraphs: one small question at a time, in words alone, each sentence checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from novum.paper.prose import Rules, Shape, content_stems, grammar, sentence_problems, sentences
from novum.tools import Question, Tools

TRIES = 3
_TOKENS_PER_SENTENCE = 46
_REWRITTEN = r"^[A-Z][a-z]{0,14}([ ]|, )([a-z][a-z'-]{0,17}([ ]|, )){6,24}[a-z][a-z'-]{1,17}\.$"


@dataclass(frozen=True)
class Ask:
    """One paragraph to ask for. `fallback` is the documented default: neutral text assembled by the code."""

    step: str
    title: str
    task: str
    fallback: str
    shape: Shape = Shape()
    reflect: bool = True


@dataclass
class Writer:
    """Writes paragraph after paragraph; what was written so far is the context of the next."""

    tools: Tools
    brief: str
    vocabulary: frozenset[str]
    metric_words: frozenset[str]
    written: list[tuple[str, str]] = field(default_factory=list)
    """(title, text) of what the model has written, in order; appended to only, so that prompt caches hold."""
    seen: list[str] = field(default_factory=list)
    """Every sentence in `written`; the text there numbers them from 1."""

    def rules(self, shape: Shape) -> Rules:
        return Rules(self.vocabulary, self.metric_words, bool(shape.openings), tuple(self.seen))

    def paragraph(self, ask: Ask) -> tuple[list[str], bool]:
        """The sentences of a paragraph as plain text, and whether the model wrote them."""
        tries: list[list[str]] = []

        def check(text: str) -> list[str]:
            kept, problems = self._sift(text, ask.shape)
            tries.append(kept)
            enough = len(kept) >= max(1, ask.shape.count - 1)
            # After the last try what is good of the best one stays, and the rest goes.
            if enough or (len(tries) >= TRIES and any(tries)):
                return []
            return problems

        text = self.tools.ask_text(
            Question(
                step=ask.step,
                role="writing",
                prompt="write_paragraph",
                inputs={
                    "brief": self.brief,
                    "written": list(self.written),
                    "task": ask.task,
                    "shape": ask.shape,
                },
                max_tokens=_TOKENS_PER_SENTENCE * ask.shape.count + 20,
                retries=TRIES - 1,
            ),
            grammar=grammar(ask.shape),
            default=lambda: "",
            check=check,
        )
        if not text:
            kept, by_model = sentences(ask.fallback), False
        else:
            kept, by_model = max(tries, key=len), True
            self._note_dropped(ask.step, text, kept)
            if ask.reflect:
                kept = self._reflect(ask, kept)
        self._remember(ask.title, kept)
        return kept, by_model

    def _remember(self, title: str, kept: Sequence[str]) -> None:
        """Sentences are numbered through, so that a later question can name them without repeating them."""
        start = len(self.seen) + 1
        self.written.append((title, " ".join(f"({i}) {s}" for i, s in enumerate(kept, start))))
        self.seen += kept

    def _sift(self, text: str, shape: Shape) -> tuple[list[str], list[str]]:
        """The sentences that may stand, and what is wrong with the others."""
        kept: list[str] = []
        problems: list[str] = []
        for sentence in sentences(text)[: shape.count + 1]:
            rules = self.rules(shape)
            found = sentence_problems(sentence, Rules(*_with_seen(rules, kept)))
            if found:
                problems.append(f"{sentence[:80]!r}: {found[0]}")
            else:
                kept.append(sentence)
        return kept, problems or (["write at least one whole sentence"] if not kept else [])

    def _note_dropped(self, step: str, text: str, kept: Sequence[str]) -> None:
        for sentence in sentences(text):
            if sentence not in kept:
                found = sentence_problems(sentence, self.rules(Shape()))
                reason = found[0] if found else "beyond what was asked for"
                self.tools.log.note("sentence_dropped", step=step, sentence=sentence, reason=reason)

    def _reflect(self, ask: Ask, kept: list[str]) -> list[str]:
        """The paragraph after the model looked at it once: at most one sentence rewritten or taken out."""
        numbered = [f"{i}. {s}" for i, s in enumerate(kept, start=1)]
        answer = self.tools.ask(
            Question(
                step=f"{ask.step}/reflect",
                role="writing",
                prompt="write_reflect",
                inputs={
                    "brief": self.brief,
                    "written": list(self.written),
                    "task": ask.task,
                    "numbered": numbered,
                },
                max_tokens=150,
                temperature=0.3,
                retries=1,
            ),
            _reflection(len(kept)),
            default=lambda: _Reflection(reasoning="", sentence="none", rewritten=""),
        )
        if answer.sentence == "none":
            return kept
        position = int(answer.sentence) - 1
        others = [s for i, s in enumerate(kept) if i != position]
        rules = self.rules(ask.shape)
        better = answer.rewritten.strip()
        if _keeps_opening(kept[position], better, ask.shape) and not sentence_problems(
            better, Rules(*_with_seen(rules, others))
        ):
            return [better if i == position else s for i, s in enumerate(kept)]
        return kept


def _keeps_opening(old: str, new: str, shape: Shape) -> bool:
    """A hedged sentence must stay hedged."""
    if not shape.openings:
        return True
    return any(old.startswith(o) and new.startswith(o) for group in shape.openings for o in group)


def _with_seen(
    rules: Rules, more: Sequence[str]
) -> tuple[frozenset[str], frozenset[str], bool, tuple[str, ...]]:
    return rules.vocabulary, rules.metric_words, rules.hedged, (*rules.seen, *more)


class _Reflection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reasoning: str = Field(max_length=200)
    sentence: str
    rewritten: str


def _reflection(count: int) -> type[_Reflection]:
    choices = ("none", *map(str, range(1, count + 1)))
    return create_model(
        "Reflection",
        __base__=_Reflection,
        sentence=(Literal[choices], ...),  # type: ignore[valid-type] - made for the question
        rewritten=(str, Field(pattern=_REWRITTEN)),
    )


def choose(
    tools: Tools,
    step: str,
    prompt: str,
    inputs: dict[str, object],
    ids: Sequence[str],
    most: int,
    default: Sequence[str],
) -> list[str]:
    """Ask which of `ids`, and in which order; at most `most`, each once."""
    schema = create_model(
        "Choice",
        __config__=ConfigDict(extra="forbid"),
        reasoning=(str, Field(max_length=160)),
        chosen=(list[Literal[tuple(ids)]], Field(min_length=1, max_length=most)),  # type: ignore[misc]
    )
    answer = tools.ask(
        Question(step, "writing", prompt, inputs, max_tokens=90 + 8 * most, temperature=0.3, retries=1),
        schema,
        default=lambda: schema.model_construct(reasoning="", chosen=list(default)),
    )
    return list(dict.fromkeys(str(c) for c in getattr(answer, "chosen", ())))


def stems_of(*texts: str) -> frozenset[str]:
    """The stems of many texts, LaTeX macros left out."""
    return content_stems(re.sub(r"\\[A-Za-z]+(?:\{[^{}]*\})?", " ", " ".join(texts)))
