"""docs/models.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from novum.llm import hosted
from novum.llm.catalogue import CATALOGUE
from novum.llm.registry import _OPENERS
from novum.settings import Settings

DOC = (Path(__file__).parents[3] / "docs" / "models.md").read_text(encoding="utf-8")


def test_every_kind_and_embedded_model_is_documented() -> None:
    for kind in _OPENERS:
        assert f"`{kind}:" in DOC
    assert f"`local:{next(iter(CATALOGUE))}`" in DOC


def test_the_numbers_are_those_of_the_settings_and_the_code() -> None:
    models = Settings().models
    for name, value in {"retries": models.retries, "timeout_s": int(models.timeout_s)}.items():
        assert re.search(rf"models\.{name}`\s[^.]*\({value}\)|models\.{name}` \({value}\)", DOC), name
    assert f"`models.context_tokens` ({models.context_tokens:,})" in DOC
    assert f"{hosted._REASONING_TOKENS:,} tokens" in DOC
