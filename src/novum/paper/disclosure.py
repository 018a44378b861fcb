"""What a paper says about how it was made: the notice on defaults, and the mark in the PDF's metadata."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

from novum.events import EventLog
from novum.paper.brief import plain
from novum.paper.document import Draft
from novum.paper.material import Material

LEAST_ANSWERED = 0.8
"""Share of steps that a model must have answered for a paper without a notice."""
_BEFORE_REVIEW = ("ideate", "novelty", "experiment", "figures", "write")
_PHASES = (*_BEFORE_REVIEW, "review")
_SAFETY = "safety"
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


class Answered(NamedTuple):
    """How much of a study models answered: the share of all steps, and the phases in which they answered none."""

    share: float
    default_phases: tuple[str, ...]

    @property
    def enough(self) -> bool:
        return self.share >= LEAST_ANSWERED and not self.default_phases


def answered(log: EventLog, phases: Sequence[str] = _PHASES) -> Answered:
    """What was answered in `phases`; repairs of LaTeX do not count.

    Answers to the safety screen count as steps, but no phase owes its content to them. A share without any step is 0.
    """
    defaulted = {e.data["step"] for e in log.events("step_defaulted")}
    steps = defaulted | {e.data["step"] for e in log.events("step_answered")}
    counts: dict[str, list[bool]] = {phase: [] for phase in (*phases, _SAFETY)}
    for step in steps:
        if step.partition("/")[0] in phases and not step.startswith("write/repair"):
            counts[_kind(step)].append(step not in defaulted)
    total = sum(map(len, counts.values()))
    share = sum(map(sum, counts.values())) / total if total else 0.0
    without = tuple(phase for phase in phases if counts[phase] and not any(counts[phase]))
    return Answered(round(share, 4), without)


def _kind(step: str) -> str:
    phase, *parts = step.split("/")
    return _SAFETY if any(part.startswith(_SAFETY) for part in parts) else phase


def default_notice(log: EventLog) -> str:
    """The boxed notice for the first page, or "" when the models answered enough before the review; LaTeX."""
    made = answered(log, _BEFORE_REVIEW)
    if made.enough:
        return ""
    why = (
        "less than four fifths of the steps were answered by a language model"
        if made.share < LEAST_ANSWERED
        else f"no step of {' and '.join(made.default_phases)} was answered by a language model"
    )
    return (
        rf"\textbf{{Assembled from defaults.}} In this study {why}; documented defaults were taken instead. "
        "The recorded results are right all the same, but the choice of experiments and the prose owe little "
        "to a model."
    )


def with_metadata(pdf: bytes, draft: Draft, material: Material) -> bytes:
    """The PDF with title, authors and the mark that a trained algorithm made it; the same bytes for the same input."""
    import pikepdf

    out = io.BytesIO()
    title, version = plain(draft.title), material.versions.get("novum", "")
    author = f"novum {version} (an AI system)".replace("  ", " ")
    models = ", ".join(material.models)
    note = f"Written by an AI system: novum {version} with {models}. No person has checked it."
    stamp = _iso(material)
    with pikepdf.open(io.BytesIO(pdf)) as document:
        with document.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            metadata["dc:title"] = title
            metadata["dc:creator"] = [author]
            metadata["dc:description"] = note
            metadata["xmp:CreatorTool"] = f"novum {version}".strip()
            metadata["xmp:CreateDate"] = stamp
            metadata["{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"] = _SOURCE_TYPE
        info = document.docinfo
        info["/Title"], info["/Author"], info["/Subject"] = title, author, note
        info["/Keywords"] = ", ".join(material.template.paper.keywords)
        info["/Creator"] = f"novum {version}".strip()
        info["/DigitalSourceType"] = _SOURCE_TYPE
        document.save(out, deterministic_id=True, linearize=False)
    return out.getvalue()


def _iso(material: Material) -> str:
    import time

    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(material.started_s))
