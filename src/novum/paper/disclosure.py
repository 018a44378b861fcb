"""What a paper says about how it was made: the notice on defaults, and the mark in the PDF's metadata."""

from __future__ import annotations

import io

from novum.events import EventLog
from novum.paper.brief import plain
from novum.paper.document import Draft
from novum.paper.material import Material

LEAST_ANSWERED = 0.8
"""Share of steps that a model must have answered for a paper without a notice."""
_PHASES = ("ideate", "novelty", "experiment", "figures", "write")
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def answered_steps(log: EventLog) -> dict[str, tuple[int, int]]:
    """Phase to (steps answered by a model, steps in all), up to the writing and without its repairs of LaTeX."""
    defaulted = {e.data["step"] for e in log.events("step_defaulted")}
    answered = {e.data["step"] for e in log.events("step_answered")} - defaulted
    counts: dict[str, tuple[int, int]] = {}
    for step in sorted(answered | defaulted):
        phase = step.split("/", 1)[0]
        if phase not in _PHASES or step.startswith("write/repair"):
            continue
        done, total = counts.get(phase, (0, 0))
        counts[phase] = (done + (step in answered), total + 1)
    return counts


def answered_share(log: EventLog) -> float:
    """Share of the steps up to the writing that a model answered; 0 when there was none."""
    counts = answered_steps(log).values()
    total = sum(t for _, t in counts)
    return sum(d for d, _ in counts) / total if total else 0.0


def default_phases(log: EventLog) -> list[str]:
    """Phases in which no step was answered by a model."""
    return [phase for phase, (done, _) in answered_steps(log).items() if done == 0]


def default_notice(log: EventLog) -> str:
    """The boxed notice for the first page, or "" when the models answered enough; LaTeX."""
    share, phases = answered_share(log), default_phases(log)
    if share >= LEAST_ANSWERED and not phases:
        return ""
    why = (
        "less than four fifths of the steps were answered by a language model"
        if share < LEAST_ANSWERED
        else f"no step of {' and '.join(phases)} was answered by a language model"
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
