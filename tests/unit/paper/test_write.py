"""The writing phase from a study folder to an audited PDF."""

from __future__ import annotations

from novum.paper.audit_records import Audit
from novum.paper.write import write_paper

from .conftest import MakeTools, good_reply


def test_a_study_becomes_an_audited_paper(make_tools: MakeTools) -> None:
    tools = make_tools(good_reply)

    pdf = write_paper(tools)

    audit = tools.folder.read(pdf.parent / "audit.json", Audit)
    assert audit.findings == ()
    assert audit.passes
    assert (tools.folder.paper / "paper.pdf").read_bytes() == pdf.read_bytes()
