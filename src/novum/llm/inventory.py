"""Which embedded models are there, and which fit this machine."""

from __future__ import annotations

from pathlib import Path

from novum.llm.catalogue import CATALOGUE, models_folder
from novum.llm.checks import available_memory_bytes
from novum.records import Record


class Stock(Record):
    """One model of the catalogue on this machine. `fits` compares its need with the available memory."""

    name: str
    purpose: str
    licence: str
    size_bytes: int
    memory_bytes: int
    file: Path
    present: bool
    fits: bool


def stock(folder: Path | None = None) -> list[Stock]:
    """All models of the catalogue; `folder` is where pulled ones lie (default: the user's cache)."""
    folder = folder or models_folder()
    free = available_memory_bytes()
    return [
        Stock(
            name=f"local:{model.name}",
            purpose=model.purpose,
            licence=model.licence,
            size_bytes=model.size_bytes,
            memory_bytes=model.memory_bytes,
            file=folder / model.file,
            present=_present(folder / model.file, model.size_bytes),
            fits=model.memory_bytes < free,
        )
        for model in CATALOGUE.values()
    ]


def _present(file: Path, size_bytes: int) -> bool:
    return file.is_file() and file.stat().st_size == size_bytes
