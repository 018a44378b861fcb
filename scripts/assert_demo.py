"""Assert what `make demo` promises of its newest study: an audit that passed, a PDF and a review, made by the model.

Usage: python scripts/assert_demo.py [LAB]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

LEAST_ANSWERED = 0.8


def newest_study(lab: Path) -> Path:
    """The study that was written to last."""
    logs = sorted(lab.glob("studies/*/events.jsonl"), key=lambda path: path.stat().st_mtime)
    if not logs:
        raise SystemExit(f"there is no study in {lab}")
    return logs[-1].parent


def problems(study: Path) -> list[str]:
    """What is missing or wrong in a finished study, one line each."""
    found = []
    audits = sorted(study.glob("drafts/*/audit.json"))
    if not audits:
        return [f"{study} has no draft with an audit"]
    for path in audits:
        found += [f"{path}: {problem}" for problem in audit_problems(json.loads(path.read_text("utf-8")))]
    if not (study / "paper" / "audit.json").is_file():
        found.append(f"{study} has no chosen draft with its audit")
    for folder in [path.parent for path in audits] + [study / "paper"]:
        pdf = folder / "paper.pdf"
        if not pdf.is_file() or not pdf.read_bytes().startswith(b"%PDF-"):
            found.append(f"{pdf} is missing or is not a PDF")
    return found + review_problems(study / "paper" / "reviews")


def review_problems(reviews: Path) -> list[str]:
    """What is missing of the reviews of the chosen draft; a review that stands in for none is missing."""
    meta = reviews / "meta.json"
    if not list(reviews.glob("review_*.json")) or not meta.is_file():
        return [f"{reviews} has no review"]
    source = json.loads(meta.read_text("utf-8")).get("source")
    return [] if source == "model" else [f"{meta}: it was made by {source or 'nobody'}, not by the model"]


def audit_problems(audit: dict[str, Any]) -> list[str]:
    """Why this audit does not pass."""
    found = []
    if audit.get("passes") is not True:
        found.append("it did not pass")
    if audit.get("unbound_numbers") != []:
        found.append(f"numbers that are bound to no result: {audit.get('unbound_numbers')!r}")
    if not audit.get("answered_share", 0) >= LEAST_ANSWERED:
        found.append(f"the model answered {audit.get('answered_share', 0):.0%} of the steps")
    if audit.get("default_phases") != []:
        found.append(f"phases made of defaults alone: {audit.get('default_phases')!r}")
    return found


def main(arguments: list[str]) -> int:
    study = newest_study(Path(arguments[0] if arguments else "lab"))
    found = problems(study)
    for line in found:
        print(line, file=sys.stderr)
    if not found:
        audit = json.loads((study / "paper" / "audit.json").read_text("utf-8"))
        print(f"demo: {audit.get('answered_share', 0):.0%} of the steps answered by the model")
        print(f"demo: {study} has an audit that passed, no unbound number, a PDF and a review")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
