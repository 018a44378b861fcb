"""Ask a small model for paragraphs: one small question at a time, in words alone, each sentence checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, create_model

from novum.paper.prose import Rules, Shape, grammar, sentence_problems, sentences
from novum.paper.wording import parted, plainer
from novum.tools import Question, Tools

_TEMPERATURES = (0.6, 0.9, 1.1)
"""Of the first try at a paragraph and of those after it."""
_TOKENS_PER_SENTENCE = 46


@dataclass(frozen=True)
class Ask:
    """One paragraph to ask for. `fallback` is the documented default: neutral text assembled by the code."""

    step: str
    title: str
    task: str
    fallback: str
    shape: Shape


@dataclass
class Writer:
    """Writes paragraph after paragraph; what was written so far is the context of the next."""

    tools: Tools
    brief: str
    vocabulary: frozenset[str]
    metric_words: frozenset[str]
    known_words: frozenset[str]
    """Words of the study's facts, as they are written there."""
    written: list[tuple[str, str]] = field(default_factory=list)
    """(title, text) of what the model has written, in order; appended to only, so that prompt caches hold."""
    seen: list[str] = field(default_factory=list)
    """Every sentence in `written`; the text there numbers them from 1."""

    def rules(self, shape: Shape, more: Sequence[str] = ()) -> Rules:
        """What a sentence after those so far, and `more`, is held to."""
        return Rules(self.vocabulary, self.metric_words, bool(shape.openings), (*self.seen, *more))

    def paragraph(self, ask: Ask) -> tuple[list[str], bool]:
        """The sentences of a paragraph as plain text, and whether the model wrote them.

        A try whose sentences do not all stand is followed by another, which is asked afresh: a small model that
        is shown its reply says the same again. After the last, what is good of the best one stays.
        """
        tries: list[_Sifted] = []
        for number, temperature in enumerate(_TEMPERATURES):
            step = ask.step if number == 0 else f"{ask.step}/again_{number}"
            tries.append(self._sift(self._text(ask, step, number, temperature), ask.shape))
            if len(tries[-1].kept) >= max(1, ask.shape.count - 1):
                break
        best = max(tries, key=lambda sifted: len(sifted.kept))
        for sentence, why in best.wrong:
            self.tools.log.note("sentence_dropped", step=ask.step, sentence=sentence, reason=why)
        kept, by_model = list(best.kept), bool(best.kept)
        if not by_model:
            self.tools.log.note("step_defaulted", step=ask.step, reason="no sentence of any try may stand")
            kept = sentences(ask.fallback)
        elif len(kept) > 1:
            kept = self._reflect(ask, kept)
        self._remember(ask.title, kept)
        return kept, by_model

    def _text(self, ask: Ask, step: str, attempt: int, temperature: float) -> str:
        question = Question(
            step=step,
            role="writing",
            prompt="write_paragraph",
            inputs={"brief": self.brief, "written": list(self.written), "task": ask.task, "shape": ask.shape},
            max_tokens=_TOKENS_PER_SENTENCE * ask.shape.count + 20,
            temperature=temperature,
            retries=0,
            attempt=attempt,
        )
        return self.tools.ask_text(question, grammar=grammar(ask.shape), default=lambda: "")

    def _remember(self, title: str, kept: Sequence[str]) -> None:
        """Sentences are numbered through, so that a later question can name them without repeating them."""
        start = len(self.seen) + 1
        self.written.append((title, " ".join(f"({i}) {s}" for i, s in enumerate(kept, start))))
        self.seen += kept

    def _sift(self, text: str, shape: Shape) -> _Sifted:
        """The sentences that may stand, and the others with what is wrong with them."""
        kept: list[str] = []
        wrong: list[tuple[str, str]] = []
        for sentence in sentences(plainer(parted(text, self.known_words))):
            if len(kept) >= shape.count:
                break
            found = sentence_problems(sentence, self.rules(shape, kept))
            if found:
                wrong.append((sentence, found[0]))
            else:
                kept.append(sentence)
        return _Sifted(tuple(kept), tuple(wrong))

    def _reflect(self, ask: Ask, kept: list[str]) -> list[str]:
        """The paragraph after the model looked at it once: its weakest sentence goes, if it names one."""
        numbered = [f"{i}. {s}" for i, s in enumerate(kept, start=1)]
        schema = _reflection(len(kept))
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
                max_tokens=40,
                temperature=0.2,
                retries=1,
            ),
            schema,
            default=lambda: schema.model_construct(fault="none", sentence="1"),
        )
        if answer.fault == "none":
            return kept
        weakest = kept[int(answer.sentence) - 1]
        self.tools.log.note(
            "sentence_dropped",
            step=f"{ask.step}/reflect",
            sentence=weakest,
            reason=f"the model found it {answer.fault}",
        )
        return [s for s in kept if s != weakest]


class _Sifted(NamedTuple):
    kept: tuple[str, ...]
    wrong: tuple[tuple[str, str], ...]


class _Reflection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fault: Literal["none", "wrong", "vague", "repeated"]
    sentence: str


def _reflection(count: int) -> type[_Reflection]:
    choices: Any = Literal[tuple(map(str, range(1, count + 1)))]
    return create_model("Reflection", __base__=_Reflection, sentence=(choices, ...))


def choose(
    tools: Tools,
    step: str,
    prompt: str,
    inputs: Mapping[str, object],
    ids: Sequence[str],
    most: int,
    default: Sequence[str],
) -> list[str]:
    """Ask which of `ids`, and in which order; at most `most`, each once."""
    options: Any = list[Literal[tuple(ids)]]  # type: ignore[misc]
    schema = create_model(
        "Choice",
        __config__=ConfigDict(extra="forbid"),
        reasoning=(str, Field(max_length=90)),
        chosen=(options, Field(min_length=1, max_length=most)),
    )
    answer = tools.ask(
        Question(step, "writing", prompt, inputs, max_tokens=60 + 10 * most, temperature=0.3, retries=1),
        schema,
        default=lambda: schema.model_construct(reasoning="", chosen=list(default)),
    )
    return list(dict.fromkeys(str(c) for c in getattr(answer, "chosen", ())))
