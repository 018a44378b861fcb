"""A study with a real language model in the process: SmolLM2 of 135M parameters, which plans and writes poorly.

What holds with it holds with any model: the study ends, its numbers are bound, and the paper says what it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from novum.llm.catalogue import model_file
from tests.e2e.conftest import Novum, events_of

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.model,
    pytest.mark.skipif(
        not model_file("smollm2-135m").exists(),
        reason="the test model is not here: run `novum models pull smollm2-135m`",
    ),
]


@pytest.fixture
def one_core() -> Iterator[None]:
    """Two threads of a model wait for each other at every layer, for ever when a test beside them takes a core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    yield
    os.sched_setaffinity(0, cores)


@pytest.mark.usefixtures("one_core")
def test_a_tiny_embedded_model_carries_a_study_to_its_end(novum: Novum, tmp_path: Path) -> None:
    roles = {f"NOVUM_MODELS__{role}": "local:smollm2-135m" for role in ("IDEAS", "CODE", "WRITING", "VISION")}
    # Its reviews take minutes and are not valid; those of a model of random replies take none.
    roles["NOVUM_MODELS__REVIEW"] = "random:1"
    novum("run", "epidemic", "--profile", "quick", "--seed", "1", **roles)
    (study,) = novum.studies
    audit = json.loads((study / "paper" / "audit.json").read_text())
    assert audit["unbound_numbers"] == []
    assert (study / "paper" / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads((study / "paper" / "reviews" / "meta.json").read_text())["machine_written"] is True
    calls = events_of(study, "model_call")
    assert all(call["usage"]["output_tokens"] <= call["max_tokens"] for call in calls)
    assert sum(call["usage"]["cached_tokens"] for call in calls) > 0
    replayed = novum("replay", study.name, "--to", str(tmp_path / "again"), "--json")
    assert json.loads(replayed.stdout)["identical"]
