"""The bibliography that ships with novum: facts about works, and a line on each in our own words.

One JSON object a line in `bibliography/*.jsonl`; the file's name is a topic of all its works. `summary` stands
where an abstract would, and its origin says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib import resources
from typing import Any, NamedTuple

from novum.literature.identity import normal_arxiv_id, normal_doi, paper_id
from novum.records import Paper

SUMMARY = "bibliography"
"""Origin of every field of a shipped record; an `abstract` with this origin is our summary."""


class ShippedWork(NamedTuple):
    """A record and the words under which it is also found."""

    paper: Paper
    topics: tuple[str, ...]


def _files() -> list[tuple[str, str]]:
    folder = resources.files("novum.literature") / "bibliography"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".jsonl")), key=lambda f: f.name)
    return [(f.name.removesuffix(".jsonl"), f.read_text(encoding="utf-8")) for f in files]


def fingerprint() -> str:
    """Changes when the shipped bibliography does."""
    digest = hashlib.sha256()
    for name, text in _files():
        digest.update(f"{name}\n{text}".encode())
    return digest.hexdigest()[:16]


def shipped_works() -> Iterator[ShippedWork]:
    """Every work of the shipped bibliography."""
    for topic, text in _files():
        for line in text.splitlines():
            entry = json.loads(line)
            yield ShippedWork(_paper(entry), (topic.replace("_", " "), *entry.get("topics", ())))


def _paper(entry: dict[str, Any]) -> Paper:
    doi, arxiv_id = normal_doi(entry.get("doi")), normal_arxiv_id(entry.get("arxiv_id"))
    fields: dict[str, Any] = {
        "title": entry["title"],
        "authors": tuple(entry["authors"]),
        "year": entry["year"],
        "venue": entry["venue"],
        "doi": doi,
        "arxiv_id": arxiv_id,
        "abstract": entry.get("summary", ""),
        "url": entry.get("url", ""),
        "kind": entry["kind"],
        "introduces": tuple(entry.get("introduces", ())),
    }
    origin = {name: SUMMARY for name, value in fields.items() if value}
    return Paper(id=paper_id(doi, arxiv_id, "novum", entry["key"]), origin=origin, **fields)
