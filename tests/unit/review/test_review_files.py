from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from novum.errors import BudgetExceeded, UsageError
from novum.events import EventLog
from novum.literature.library import Library
from novum.records import Review
from novum.review.report import PaperReviews
from novum.review.reviewer import review_pdf, review_study
from novum.settings import ROLES, BudgetSettings, ModelSettings, Settings
from novum.store import StudyFolder
from novum.template import Template
from novum.tools import Tools

from .conftest import FORM, META, REVISION, SMALL_FORM, desk, reviewer

FREE = {**FORM, **SMALL_FORM, "decision": "Reject"}

# -- files ---------------------------------------------------------------------------------------------


class _NoSandbox:
    name = level = "none"

    def run(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("a review runs nothing")


def study(root: Path, log: EventLog, player: Any) -> Tools:
    model = desk(player).models["review"]
    return Tools(
        folder=StudyFolder(root),
        log=log,
        template=Template(name="none", title="None"),
        models=dict.fromkeys(ROLES, model),
        sandbox=_NoSandbox(),
        library=Library([]),
        profile="quick",
    )


def test_a_study_gets_its_reviews_as_files_marked_as_machine_written(tmp_path: Path, paper_pdf: Path) -> None:
    draft = tmp_path / "drafts" / "0"
    draft.mkdir(parents=True)
    paper_pdf.rename(draft / "paper.pdf")
    with EventLog(tmp_path / "events.jsonl") as log:
        made = review_study(study(tmp_path, log, reviewer()))
    reviews = draft / "reviews"
    assert sorted(p.name for p in reviews.iterdir()) == [
        "meta.json",
        "review.md",
        "review_1.json",
        "review_2.json",
        "review_3.json",
    ]
    for path in reviews.glob("*.json"):
        assert json.loads(path.read_text())["machine_written"] is True
        Review.model_validate_json(path.read_text())
    text = (reviews / "review.md").read_text()
    assert text == made.text
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert len(headings) == 4 and all("machine-written" in line for line in headings)
    assert "written by a machine" in text


def test_a_study_whose_paper_cannot_be_read_gets_a_marked_default(tmp_path: Path) -> None:
    with EventLog(tmp_path / "events.jsonl") as log:
        made = review_study(study(tmp_path, log, reviewer()))
        assert list(log.events("warning"))
    assert made.meta.source == "default" and "there is no file" in made.meta.summary


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    script = tmp_path / "model.json"
    replies = {"review/meta*": META, "*/reflect_*": REVISION, "review/review_*": FREE}
    script.write_text(json.dumps({"replies": replies, "dollars_per_million_tokens": 1.0}))
    return Settings(lab=tmp_path / "lab", models=ModelSettings(default=f"scripted:{script}"))


def test_any_pdf_can_be_reviewed_without_a_study(tmp_path: Path, paper_pdf: Path, settings: Settings) -> None:
    made = review_pdf(paper_pdf, settings)
    assert isinstance(made, PaperReviews) and len(made.reviews) == 3
    with pytest.raises(UsageError, match="there is no file"):
        review_pdf(tmp_path / "none.pdf", settings)


def test_a_review_of_a_pdf_is_recorded_and_not_paid_for_twice(paper_pdf: Path, settings: Settings) -> None:
    """Nothing of it was logged, so nobody could say what it had cost."""
    first = review_pdf(paper_pdf, settings)
    (folder,) = (settings.lab / "reviews").iterdir()
    before = (folder / "events.jsonl").read_bytes()
    assert before.count(b'"model_call"') >= 7
    assert (folder / "review.md").read_text() == first.text
    assert review_pdf(paper_pdf, settings) == first
    assert (folder / "events.jsonl").read_bytes() == before


def test_a_review_of_a_pdf_keeps_the_budget_of_the_settings(paper_pdf: Path, settings: Settings) -> None:
    """A key with `budget.dollars` in novum.toml paid for a review of any length."""
    poor = settings.model_copy(update={"budget": BudgetSettings(tokens=20)})
    with pytest.raises(BudgetExceeded, match="tokens"):
        review_pdf(paper_pdf, poor)
    (folder,) = (settings.lab / "reviews").iterdir()
    assert b'"model_call"' not in (folder / "events.jsonl").read_bytes()
