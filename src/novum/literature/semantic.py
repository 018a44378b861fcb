"""Order what a source found by meaning, with an embedding model: an extra, for queries in other words than the works'.

The source chooses candidates by its own means; the model orders them by the cosine of their embeddings with the
query's. Static embeddings (model2vec) are enough for that and need neither a GPU nor torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from novum.errors import MissingTool
from novum.literature import Source
from novum.records import Paper

CANDIDATES = 5
"""Works that are ordered for each that is wanted."""
Embed = Callable[[Sequence[str]], Any]
"""From texts to an array of shape (texts, dimensions)."""


def cosines(embed: Embed, text: str, others: Sequence[str]) -> list[float]:
    """Cosine, from -1 to 1, of the embedding of `text` with that of each of the others; 0 where one is empty."""
    import numpy as np

    vectors = np.asarray(embed([text, *others]), dtype=float)
    lengths = np.linalg.norm(vectors, axis=1)
    lengths[lengths == 0] = 1.0
    vectors /= lengths[:, None]
    return [float(cosine) for cosine in vectors[1:] @ vectors[0]]


class Reranked:
    """A Source that gives what another one found, the nearest in meaning first. Thread-safe when `embed` is."""

    def __init__(self, source: Source, embed: Embed) -> None:
        self._source = source
        self._embed = embed

    @property
    def name(self) -> str:
        """That of the source that is asked."""
        return self._source.name

    @property
    def works(self) -> int | None:
        """How many works the source holds, where it says so."""
        works = getattr(self._source, "works", None)
        return works if isinstance(works, int) else None

    def search(self, query: str, limit: int = 10) -> list[Paper]:
        """The best of `CANDIDATES` times `limit` works; `score` is the cosine, from -1 to 1.

        Raises:
            SourceError: the source could not be asked.
        """
        found = self._source.search(query, CANDIDATES * limit)
        if not found:
            return []
        near = cosines(self._embed, query, [f"{paper.title}. {paper.abstract}" for paper in found])
        best = sorted(range(len(found)), key=lambda n: -near[n])[:limit]
        return [found[n].model_copy(update={"score": round(near[n], 6)}) for n in best]

    def lookup(self, paper_id: str) -> Paper | None:
        """As the source has it.

        Raises:
            SourceError: the source could not be asked.
        """
        return self._source.lookup(paper_id)


@lru_cache(maxsize=1)
def open_embedder(model: str) -> Embed:
    """The embedding model in the folder `model`, or of that name in the model hub; loaded once.

    Raises:
        MissingTool: model2vec is not installed, or there is no such model.
    """
    try:
        package = importlib.import_module("model2vec")
    except ImportError as error:
        raise MissingTool(
            "the literature is to be ordered by meaning, and the package model2vec is not installed",
            f"`literature.rerank_model` is {model!r}",
            'pip install "novum[semantic]", or remove `literature.rerank_model` from novum.toml',
        ) from error
    try:
        embed: Embed = package.StaticModel.from_pretrained(model).encode
    except (OSError, ValueError) as error:
        raise MissingTool(
            f"there is no embedding model {model!r}",
            str(error),
            "name the folder of a model2vec model in `literature.rerank_model`",
        ) from error
    return embed
