"""A desk around a function that plays the reviewer, and PDFs to review."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from novum.llm import Capabilities, Request
from novum.llm.scripted import ScriptedModel
from novum.review.desk import Desk
from novum.settings import Profile

Player = Callable[[Request], Any]

FORM: dict[str, Any] = {
    "reasoning": "The evidence is one simulation; a second setting is missing.",
    "summary": "The paper studies how the timing of a measure changes the peak of an epidemic.",
    "strengths": ["The seeds are reported openly.", "The baseline is clearly described."],
    "weaknesses": ["Only one contact matrix is used.", "The intervals overlap in the main table."],
    "questions": ["Does the result hold for another reproduction number?"],
    "limitations": ["The town is closed to travellers."],
    "ethical_concerns": False,
    "soundness": 3,
    "presentation": 3,
    "contribution": 2,
    "overall": 5,
    "confidence": 4,
}
SMALL_FORM: dict[str, Any] = {
    **{key: FORM[key] for key in FORM if not isinstance(FORM[key], list)},
    "strength": FORM["strengths"][0],
    "other_strength": FORM["strengths"][1],
    "weakness": FORM["weaknesses"][0],
    "other_weakness": FORM["weaknesses"][1],
    "question": FORM["questions"][0],
    "limitation": FORM["limitations"][0],
}
REVISION: dict[str, Any] = {
    "reasoning": "The scores fit the evidence.",
    "weakness": "Only one contact matrix is used.",
    "question": "",
    "soundness": 3,
    "presentation": 3,
    "contribution": 2,
    "overall": 5,
    "confidence": 4,
    "done": True,
}
META: dict[str, Any] = {
    "reasoning": "The reviewers agree.",
    "summary": "The reviewers find the study careful but narrow in its setting and evidence.",
    "strengths": [1],
    "weaknesses": [2, 1],
    "questions": [1],
}


def reviewer(**by_part: Any) -> Player:
    """Plays `form`, `reflect` and `meta`; a value may be a function of the request."""
    parts = {"form": SMALL_FORM, "reflect": REVISION, "meta": META, **by_part}

    def play(request: Request) -> Any:
        part = "meta" if request.step.startswith("review/meta") else "form"
        value = parts["reflect" if "reflect" in request.step else part]
        return value(request) if callable(value) else value

    return play


def desk(player: Player, *, small: bool = True, profile: Profile = "quick", context: int = 8192) -> Desk:
    def reply(request: Request) -> str:
        said = player(request)
        return said if isinstance(said, str) else json.dumps(said)

    capabilities = Capabilities(json_schema=True, small=small, context_tokens=context)
    model = ScriptedModel("scripted:reviewer", reply, capabilities=capabilities)
    return Desk({"review": model}, profile)


def pdf_of(path: Path, lines: Iterable[str]) -> Path:
    """A PDF of text, one page, without any LaTeX."""
    body = "BT /F1 10 Tf 12 TL 40 760 Td " + " ".join(
        "({}) Tj T*".format(line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)"))
        for line in lines
    )
    stream = (body + " ET").encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += (
        b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (
            table,
            len(out),
        )
    )
    path.write_bytes(out)
    return path


WORDS = "We study how the timing of a contact reduction changes the peak of an epidemic in a simulated town. "


@pytest.fixture
def paper_pdf(tmp_path: Path) -> Path:
    return pdf_of(tmp_path / "paper.pdf", ["Timing Matters", *[WORDS] * 6])
