"""What an audit says."""

from __future__ import annotations

from typing import Literal

from novum.records import Record

Severity = Literal["error", "warning"]


class Finding(Record):
    """One thing that is wrong (`error`: the audit does not pass) or worth knowing (`warning`)."""

    kind: str
    severity: Severity
    where: str
    message: str


class CitationStatus(Record):
    """One reference. `unanswered`: no source could be asked, so nothing is known of it."""

    key: str
    cited: bool
    status: Literal["verified", "not found", "differs", "unanswered", "retracted"]
    note: str = ""


class Audit(Record):
    """The audit of one draft."""

    passes: bool
    draft: str
    findings: tuple[Finding, ...]
    unbound_numbers: tuple[str, ...]
    default_steps: tuple[str, ...]
    default_phases: tuple[str, ...]
    answered_share: float
    citations: tuple[CitationStatus, ...]
    engine: str
    engines_refused: tuple[str, ...]
    """Engines whose TeX tree lacked something."""
    style: str
    degraded_paragraphs: tuple[str, ...]
    sentences_dropped: int
    sandbox: tuple[str, ...]
    pages: int
    words: int

    @property
    def text(self) -> str:
        """The audit for a person."""
        verified = sum(c.status == "verified" for c in self.citations)
        lines = [
            f"audit of draft {self.draft}: {'passes' if self.passes else 'DOES NOT PASS'}",
            f"  {self.pages} pages, {self.words} words; LaTeX {self.engine or 'none'}, style {self.style or 'none'}",
            f"  {verified} of {len(self.citations)} references verified",
            f"  {self.answered_share:.0%} of the steps answered by a model; {len(self.default_steps)} by default",
            f"  {self.sentences_dropped} sentences of the model left out; {len(self.degraded_paragraphs)} "
            f"paragraphs set as plain text",
            f"  runs were made in: {'; '.join(self.sandbox) or 'unknown'}",
        ]
        lines += [f"  {f.severity}: {f.kind} ({f.where}): {f.message}" for f in self.findings]
        return "\n".join(lines)
