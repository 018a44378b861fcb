"""The audit of a study's paper: everything is derived again from files and events, nothing is taken on trust.

Covers: every number bound and equal to results.json, every claim supported, every citation there, real and not
credited with another work's method, how sentences agree with the abstracts that they cite, whether the literature
could be asked, every figure a file, every run reported, what was taken by default, how LaTeX went. Does not cover:
whether prose is true beyond that, whether the code does what its description says, plagiarism.
"""

from __future__ import annotations

import re
from pathlib import Path

from novum.events import EventLog
from novum.literature.library import Library
from novum.paper.audit_checks import (
    Files,
    check_claims,
    check_figures,
    check_numbers,
    check_prose,
    check_runs,
    check_shape,
    check_values,
)
from novum.paper.audit_citations import check_citations
from novum.paper.audit_literature import Asked, check_support
from novum.paper.audit_records import Audit, Finding, Severity
from novum.paper.disclosure import answered_share, default_phases
from novum.paper.material import load_material
from novum.store import StudyFolder
from novum.template import Template

_NUMBER = re.compile(r"\d+")


def audit_study(folder: StudyFolder, log: EventLog, library: Library, template: Template) -> Audit:
    """Audit the newest draft of a study.

    Raises:
        StudyError: an artifact of an earlier phase is missing or not valid.
    """
    material = load_material(folder, log, template)
    draft = _newest(folder)
    files = Files.read(draft)
    findings: list[Finding] = []
    for check in (
        check_shape,
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
    share, phases = answered_share(log), default_phases(log)
    findings += _disclosed(files, share, phases)
    latex = log.last("latex")
    missing = list(log.events("latex"))
    if not latex:
        findings.append(_finding("latex", "events.jsonl", "no LaTeX compilation is recorded"))
    elif latex.data.get("errors"):
        findings.append(_finding("latex", "paper.tex", f"compiled with errors: {latex.data['errors'][0]}"))
    degraded = _degraded(log)
    findings += [
        _finding("latex", name, "this paragraph was set as plain text", "warning") for name in degraded
    ]
    dropped = [e.data for e in log.events("sentence_dropped")]
    unbound = tuple(f.message for f in findings if f.kind == "unbound number")
    return Audit(
        passes=not any(f.severity == "error" for f in findings),
        draft=draft.name,
        findings=tuple(findings),
        unbound_numbers=unbound,
        default_steps=tuple(sorted({e.data["step"] for e in log.events("step_defaulted")})),
        default_phases=tuple(phases),
        answered_share=round(share, 4),
        citations=tuple(citations),
        support=tuple(support),
        searches=asked.searches,
        searches_unanswered=asked.unanswered,
        novelty=material.idea.novelty.verdict if material.idea.novelty else "",
        engine=str(latex.data["engine"]) if latex else "",
        engines_refused=tuple(dict.fromkeys(e.data["engine"] for e in missing if e.data.get("missing"))),
        style=_style(log),
        degraded_paragraphs=tuple(degraded),
        sentences_dropped=len(dropped),
        sandbox=tuple(dict.fromkeys(run.sandbox for run in material.results.runs)),
        pages=files.pages,
        words=files.words,
    )


def _newest(folder: StudyFolder) -> Path:
    numbers = [int(p.name) for p in folder.drafts.glob("*") if _NUMBER.fullmatch(p.name)]
    return folder.draft(max(numbers, default=0))


def _style(log: EventLog) -> str:
    event = log.last("latex")
    return str(event.data.get("style", "novum")) if event else ""


def _degraded(log: EventLog) -> list[str]:
    event = log.last("latex")
    return [str(name) for name in event.data.get("plain", [])] if event else []


def _disclosed(files: Files, share: float, phases: list[str]) -> list[Finding]:
    findings = []
    first = files.first_page
    if "Written by an AI system" not in files.tex or (first and "AI system" not in first):
        findings.append(
            _finding("disclosure", "first page", "the paper does not say that an AI system wrote it")
        )
    if (share < 0.8 or phases) and r"\novumnotice" not in files.body:
        findings.append(
            _finding("disclosure", "first page", "the notice that defaults were taken is missing")
        )
    return findings


def _finding(kind: str, where: str, message: str, severity: Severity = "error") -> Finding:
    return Finding(kind=kind, severity=severity, where=where, message=message)
