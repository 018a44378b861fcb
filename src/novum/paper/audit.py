"""The audit of a study's paper: everything is derived again from files and events, nothing is taken on trust.

Covers: every number bound and equal to results.json, every claim supported, every citation there, real and not
credited with another work's method, how sentences agree with the abstracts that they cite, whether the literature
could be asked, every figure a file, every run reported, what was taken by default, how LaTeX went. Does not cover:
whether prose is true beyond that, whether the code does what its description says, plagiarism.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from novum.events import EventLog
from novum.literature.library import Library
from novum.paper.audit_checks import (
    Files,
    check_claims,
    check_figures,
    check_keys,
    check_numbers,
    check_prose,
    check_runs,
    check_shape,
    check_values,
)
from novum.paper.audit_citations import check_citations
from novum.paper.audit_literature import Asked, check_support
from novum.paper.audit_records import Audit, Finding, Severity
from novum.paper.disclosure import answered, default_notice
from novum.paper.material import load_material
from novum.store import StudyFolder
from novum.template import Template


def audit_study(
    folder: StudyFolder, log: EventLog, library: Library, template: Template, draft: int
) -> Audit:
    """Audit drafts/`draft`/ of a study.

    Raises:
        StudyError: an artifact of an earlier phase is missing or not valid.
    """
    material = load_material(folder, log, template)
    files = Files.read(folder.draft(draft))
    findings: list[Finding] = []
    for check in (
        check_shape,
        check_keys,
        check_numbers,
        check_values,
        check_claims,
        check_prose,
        check_figures,
        check_runs,
    ):
        findings += check(files, material, folder)
    citations, found = check_citations(files, template, library, log)
    findings += found
    support, found = check_support(files, log)
    findings += found
    asked = Asked.of(log)
    findings += asked.findings(material.idea.novelty)
    findings += _disclosed(files, log)
    latex = _compiled(log, draft)
    findings += _latex_findings(latex)
    degraded = [str(name) for name in latex.get("plain", [])]
    made = answered(log)
    findings += [
        _finding("latex", name, "this paragraph was set as plain text", "warning") for name in degraded
    ]
    dropped = [e.data for e in log.events("sentence_dropped")]
    unbound = tuple(f.message for f in findings if f.kind == "unbound number")
    return Audit(
        passes=not any(f.severity == "error" for f in findings),
        draft=str(draft),
        findings=tuple(findings),
        unbound_numbers=unbound,
        default_steps=tuple(sorted({e.data["step"] for e in log.events("step_defaulted")})),
        default_phases=made.default_phases,
        answered_share=made.share,
        citations=tuple(citations),
        support=tuple(support),
        searches=asked.searches,
        searches_unanswered=asked.unanswered,
        novelty=material.idea.novelty.verdict if material.idea.novelty else "",
        engine=str(latex.get("engine", "")),
        engines_refused=tuple(
            dict.fromkeys(e.data["engine"] for e in log.events("latex") if e.data.get("missing"))
        ),
        style=str(latex.get("style", "novum")) if latex else "",
        degraded_paragraphs=tuple(degraded),
        sentences_dropped=len(dropped),
        sandbox=tuple(dict.fromkeys(run.sandbox for run in material.results.runs)),
        pages=files.pages,
        words=files.words,
    )


def _compiled(log: EventLog, draft: int) -> dict[str, Any]:
    """What is recorded of the draft's last compilation; empty when nothing is."""
    # Logs of before drafts were told apart do not name one.
    event = log.last("latex", draft=draft) or log.last("latex")
    return event.data if event else {}


def _latex_findings(latex: Mapping[str, Any]) -> list[Finding]:
    if not latex:
        return [_finding("latex", "events.jsonl", "no LaTeX compilation is recorded")]
    errors, undefined = latex.get("errors", []), latex.get("undefined", [])
    findings = [_finding("latex", "paper.tex", f"compiled with errors: {error}") for error in errors[:1]]
    return [*findings, *(_finding("latex", key, "is undefined in the compiled paper") for key in undefined)]


def _disclosed(files: Files, log: EventLog) -> list[Finding]:
    findings = []
    first = files.first_page
    if "Written by an AI system" not in files.tex or (first and "AI system" not in first):
        findings.append(
            _finding("disclosure", "first page", "the paper does not say that an AI system wrote it")
        )
    if default_notice(log) and r"\novumnotice" not in files.body:
        findings.append(
            _finding("disclosure", "first page", "the notice that defaults were taken is missing")
        )
    return findings


def _finding(kind: str, where: str, message: str, severity: Severity = "error") -> Finding:
    return Finding(kind=kind, severity=severity, where=where, message=message)
