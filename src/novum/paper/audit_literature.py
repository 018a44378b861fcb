"""The audit of what the literature was asked, and of how sentences agree with the abstracts that they cite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from novum.events import EventLog
from novum.paper.audit_checks import Files
from novum.paper.audit_records import CitationSupport, Finding
from novum.paper.citations import cited_keys
from novum.paper.places import uncited
from novum.paper.text import tex_sentences
from novum.records import Novelty, Search


def check_support(files: Files, log: EventLog) -> tuple[list[CitationSupport], list[Finding]]:
    """The recorded judgement on each citing sentence that stands in the paper; `unrelated` is a warning."""
    judged = {
        (e.data["key"], e.data["sentence"]): e.data for e in log.events("citation") if "verdict" in e.data
    }
    support = []
    for paragraph in files.paragraphs():
        for sentence in tex_sentences(paragraph.tex):
            for key in cited_keys(sentence):
                bare = uncited(sentence)
                said = judged.get((key, bare), _NOT_JUDGED)
                fields = {name: said[name] for name in ("verdict", "by", "note")}
                support.append(CitationSupport(key=key, where=paragraph.name, sentence=bare, **fields))
    findings = [
        _warning("support", s.where, f"the abstract of {s.key} is not about: {s.sentence[:120]}")
        for s in support
        if s.verdict == "unrelated"
    ]
    return support, findings


_NOT_JUDGED = {"verdict": "unknown", "by": "nobody", "note": "not judged"}


class Asked(NamedTuple):
    """What a study asked the literature: searches in all, those without any answer, failures by source."""

    searches: int
    unanswered: int
    failures: dict[str, int]

    @classmethod
    def of(cls, log: EventLog) -> Asked:
        """As the event log tells. A search of the shipped bibliography in place of a failed one is not counted."""
        asked = [
            Search.model_validate(e.data["search"]) for e in log.events("search") if not e.data.get("instead")
        ]
        failures = Counter(failure.partition(":")[0] for search in asked for failure in search.failures)
        return cls(len(asked), sum(not search.answered for search in asked), dict(failures))

    def findings(self, novelty: Novelty | None) -> Iterator[Finding]:
        """Warnings: what could not be asked, and an idea of which nobody knows whether it is new."""
        if self.unanswered:
            text = (
                f"{self.unanswered} of {self.searches} searches of the literature were answered by no source"
            )
            yield _warning("literature", "events.jsonl", text)
        for source, count in self.failures.items():
            text = f"{source} could not be asked in {count} of {self.searches} searches"
            yield _warning("literature", source, text)
        if novelty is not None and novelty.verdict == "unknown":
            yield _warning("novelty", "idea.json", f"whether the idea is new is unknown: {novelty.reason}")


def _warning(kind: str, where: str, message: str) -> Finding:
    return Finding(kind=kind, severity="warning", where=where, message=message)
