"""Which draft is written again: the one that heeds a person's last comment."""

from __future__ import annotations

from novum.llm import Request
from novum.paper.audit_records import Audit
from novum.paper.write import chosen_draft, write_again, write_paper

from .conftest import MakeTools, good_reply


def heeding(request: Request) -> str:
    """What a well-behaved model says, whatever the comment."""
    return good_reply(request.model_copy(update={"step": request.step.removesuffix("/comment_1")}))


def test_writing_again_writes_the_draft_that_heeds_the_last_comment(make_tools: MakeTools) -> None:
    """`novum write` brought back the draft that a person had sent back, with the audit of the other."""
    tools = make_tools(heeding)
    write_paper(tools)
    tools.log.append("approval", what="paper", round=1, approved=False, comment="shorter")
    write_paper(tools.heeding("shorter", 1), 1)
    tools.log.append("approval", what="paper", round=2, approved=True, comment="")

    pdf = write_again(tools)

    assert chosen_draft(tools.log) == (1, "shorter")
    assert pdf == tools.folder.draft(1) / "paper.pdf"
    assert tools.folder.read(tools.folder.paper / "audit.json", Audit).draft == "1"
    assert tools.folder.read(tools.folder.draft(0) / "audit.json", Audit).draft == "0"
    assert [e.data["draft"] for e in tools.log.events("latex")] == [0, 1, 1]


def test_without_a_comment_the_first_draft_is_written_again(make_tools: MakeTools) -> None:
    tools = make_tools(good_reply)
    first = write_paper(tools).read_bytes()
    assert write_again(tools) == tools.folder.draft(0) / "paper.pdf"
    assert (tools.folder.paper / "paper.pdf").read_bytes() == first
