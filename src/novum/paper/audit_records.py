"""What an audit says."""

from __future__ import annotations

from collections import Counter
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
    """One reference. `unverifiable`: too few sources could be asked to say whether it exists."""

    key: str
    cited: bool
    status: Literal["verified", "not found", "differs", "unverifiable", "retracted"]
    note: str = ""


class CitationSupport(Record):
    """Whether a cited work's abstract supports the sentence that cites it, and who judged: a model, or the code.

    The code judges only sentences that it made from the work's own record. `unknown` has its reason in `note`.
    """

    key: str
    where: str
    sentence: str
    verdict: Literal["supports", "unrelated", "unknown"]
    by: Literal["model", "code", "nobody"]
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
    support: tuple[CitationSupport, ...] = ()
    """One for each sentence and work that it cites."""
    searches: int = 0
    """Questions that the study put to the literature."""
    searches_unanswered: int = 0
    """Those that no source answered."""
    novelty: str = ""
    """The verdict on the idea: novel, known or unknown; "" when it was never judged."""
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
        said = Counter(s.verdict for s in self.support)
        lines = [
            f"audit of draft {self.draft}: {'passes' if self.passes else 'DOES NOT PASS'}",
            f"  {self.pages} pages, {self.words} words; LaTeX {self.engine or 'none'}, style {self.style or 'none'}",
            f"  {verified} of {len(self.citations)} references verified",
            f"  {len(self.support)} citing sentences: {said['supports']} supported by the cited abstract, "
            f"{said['unrelated']} unrelated, {said['unknown']} not known",
            f"  {self.searches - self.searches_unanswered} of {self.searches} searches of the literature answered; "
            f"the idea is {self.novelty or 'not judged'}",
            f"  {self.answered_share:.0%} of the steps answered by a model; {len(self.default_steps)} by default",
            f"  {self.sentences_dropped} sentences of the model left out; {len(self.degraded_paragraphs)} "
            f"paragraphs set as plain text",
            f"  runs were made in: {'; '.join(self.sandbox) or 'unknown'}",
        ]
        lines += [f"  {f.severity}: {f.kind} ({f.where}): {f.message}" for f in self.findings]
        return "\n".join(lines)
