"""Ideas that exist already: in nearly the same words, or in other words with an embedding model."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from novum.ideation.facts import Earlier
from novum.ideation.ideate import propose_ideas
from novum.ideation.twins import known_twin
from novum.llm import Request
from novum.records import Idea

from .conftest import MakeTools

OLD = Earlier("Closing Schools before the Peak", "Pupils at home early delay the wave.")
REWORDED = "Sending Children Home ahead of the Maximum. Classes without attendance postpone infections."
OTHER = "Vaccinating Elders First. Fewer old people fall ill."


class Meanings:
    """Embeds texts about schools and pupils in one direction and all else in another; counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        self.calls += 1
        about = (any(word in text for word in ("Schools", "Children", "Seasonal")) for text in texts)
        return [[1.0, 0.1] if school else [0.1, 1.0] for school in about]


def test_an_idea_in_other_words_is_a_twin_where_there_is_an_embedding_model(make_tools: MakeTools) -> None:
    tools = make_tools(lambda _: "")
    assert known_twin(tools, REWORDED, [OLD]) is None
    embedding = dataclasses.replace(tools, embed=Meanings())
    assert known_twin(embedding, REWORDED, [OLD]) == OLD
    assert known_twin(embedding, OTHER, [OLD]) is None
    assert known_twin(embedding, REWORDED, []) is None


def test_a_replay_without_the_embedding_model_refuses_the_same_ideas(make_tools: MakeTools) -> None:
    tools = make_tools(lambda _: "")
    embed = Meanings()
    known_twin(dataclasses.replace(tools, embed=embed), REWORDED, [OLD])
    assert known_twin(tools, REWORDED, [OLD]) == OLD
    assert known_twin(tools, OTHER, [OLD]) is None
    assert embed.calls == 1


def test_a_model_that_proposes_an_earlier_idea_in_other_words_is_asked_again(make_tools: MakeTools) -> None:
    old = Idea(name="old", title=OLD.title, hypothesis=OLD.hypothesis, plan="Close them.")
    told: list[str] = []

    def play(request: Request) -> Any:
        told.append(request.messages[-1].text)
        return {
            "reasoning": "",
            "subject": "seasonality",
            "title": "Seasonal Transmission and the Day of the Peak",
            "hypothesis": "A larger season raises the day of the peak, for the epidemic grows later.",
            "plan": "Sweep the season over four values and compare the day of the peak.",
        }

    tools = dataclasses.replace(make_tools(play, small=False), embed=Meanings())
    [idea] = propose_ideas(tools, 1, [old])
    assert idea.source == "default"
    assert any("exists already" in text and OLD.title in text for text in told[1:])
