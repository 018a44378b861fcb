"""Ordering by meaning: an extra with a clear error where it is missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import pytest

from novum.errors import MissingTool
from novum.literature.library import open_library
from novum.literature.scripted import ScriptedSource
from novum.literature.semantic import CANDIDATES, Reranked, cosines, open_embedder
from novum.records import Paper
from novum.settings import LiteratureSettings

PAPERS = [Paper(id=f"x:{n}", title=f"{word} waves") for n, word in enumerate(("cold", "warm", "hot", "zero"))]
HEAT = {"boiling": 1.0, "hot": 0.9, "warm": 0.4, "cold": -0.8}


def embed(texts: Sequence[str]) -> list[list[float]]:
    """Two dimensions: heat, and its rest; nothing for a text without a temperature."""
    heats = [next((h for word, h in HEAT.items() if word in text), None) for text in texts]
    return [[0.0, 0.0] if h is None else [h, (1 - h * h) ** 0.5] for h in heats]


def test_works_are_ordered_by_meaning_where_words_say_nothing() -> None:
    found = Reranked(ScriptedSource(PAPERS), embed).search("boiling waves", 3)
    assert [p.title for p in found] == ["hot waves", "warm waves", "zero waves"]
    assert found[0].score == pytest.approx(0.9)


def test_it_is_the_source_that_chooses_and_more_of_it_is_asked() -> None:
    many = [Paper(id=f"x:{n}", title=f"warm waves {n}") for n in range(50)]
    reranked = Reranked(ScriptedSource([*many, PAPERS[2]]), embed)
    assert len(reranked.search("boiling waves", 2)) == 2
    assert CANDIDATES * 2 < 51
    assert reranked.search("volcano", 2) == []
    assert reranked.name == "scripted"
    assert reranked.lookup("x:2") is not None


@pytest.mark.skipif(importlib.util.find_spec("model2vec") is not None, reason="model2vec is installed")
def test_without_the_package_there_is_one_clear_error() -> None:
    with pytest.raises(MissingTool, match=r"(?s)model2vec is not installed.*rerank_model.*novum\[semantic\]"):
        open_embedder("potion-base-8M")
    with pytest.raises(MissingTool, match="model2vec"):
        open_library(LiteratureSettings(sources=("offline",), rerank_model="potion-base-8M"))


def test_cosines_of_texts_without_an_embedding_are_zero() -> None:
    assert cosines(embed, "boiling", ["boiling", "zero", "cold"]) == pytest.approx([1.0, 0.0, -0.8])
