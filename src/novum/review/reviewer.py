"""Review a paper: an ensemble of reviewers, each with reflection, then a meta-review.

The paper stands first in every prompt, the same bytes for all reviewers and rounds, so that a prompt cache serves it;
what a reviewer looks at, and the task, come last. A reflection that is not valid leaves the review as it
was; a reviewer who gives no valid review is left out; when none does, a marked default stands in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

from novum.errors import UsageError
from novum.events import EventLog
from novum.llm import Capabilities
from novum.llm.budget import Budget
from novum.llm.recorded import RecordedModel
from novum.llm.registry import open_model
from novum.records import Review
from novum.review.desk import Asker, Desk
from novum.review.example import EXAMPLE_PAPER, EXAMPLE_REVIEW, borrowed_terms
from novum.review.form import (
    ReviewForm,
    Revision,
    SmallReviewForm,
    SmallRevision,
    no_review,
    problems_of,
    review_of,
    revised,
)
from novum.review.meta import meta_review
from novum.review.pdf_text import PaperText, fitted, pdf_text
from novum.review.report import PaperReviews
from novum.settings import Profile, Settings
from novum.store import StudyFolder
from novum.tools import Question, Tools


class Depth(NamedTuple):
    """How much reviewing a profile does."""

    reviews: int
    reflections: int
    examples: int


DEPTHS: dict[Profile, Depth] = {"quick": Depth(3, 1, 0), "full": Depth(5, 5, 1)}
FOCUS = (
    "whether the conclusions follow from the results that are reported",
    "whether the method and the statistics are sound",
    "whether the question matters and what is new about it",
    "whether others could reproduce the work from the paper",
    "whether the paper is clear, complete and open about its limits",
)
"""What each member of the ensemble looks at before all else."""
_TEMPERATURES = (0.3, 0.5, 0.7, 0.4, 0.6)
SMALL_PAPER_TOKENS = 1600
"""Longest paper for a small model, which reads slowly; references and rows of numbers are left out for it."""
_RESERVED_TOKENS = 2000
"""Part of the context kept beside paper and answer: instructions, an example, a reply that is sent back."""


class _NoAnswer(Exception):
    """The model gave no valid answer; the step is marked as defaulted."""


def review_paper(asker: Asker, paper: PaperText) -> PaperReviews:
    """The ensemble's reviews of `paper` and their meta-review."""
    model = asker.models["review"]
    depth = DEPTHS[asker.profile]
    text = _for_context(paper.text, model.capabilities)
    reviews = []
    for number in range(1, depth.reviews + 1):
        try:
            reviews.append(_member(asker, text, number, depth))
        except _NoAnswer:
            continue
    if reviews:
        meta = meta_review(asker, reviews)
    else:
        meta = no_review(f"none of {depth.reviews} reviewers gave a valid review")
    return PaperReviews(
        model=model.name,
        reviews=tuple(reviews),
        meta=meta,
        failed=depth.reviews - len(reviews),
        removed=paper.removed,
    )


def review_study(tools: Tools, draft: int = 0) -> PaperReviews:
    """Review the PDF of a study's draft; writes `reviews/review_1.json` ..., `meta.json` and `review.md` beside it."""
    folder = tools.folder.draft(draft)
    try:
        made = review_paper(tools, pdf_text(folder / "paper.pdf"))
    except UsageError as error:
        tools.log.note("warning", message=f"the paper cannot be reviewed: {error.text}")
        made = PaperReviews(model=tools.models["review"].name, reviews=(), meta=no_review(error.what))
    for number, review in enumerate(made.reviews, start=1):
        tools.folder.write(folder / "reviews" / f"review_{number}.json", review)
    tools.folder.write(folder / "reviews" / "meta.json", made.meta)
    tools.folder.write_text(folder / "reviews" / "review.md", made.text)
    return made


def review_pdf(
    path: Path, settings: Settings, *, progress: Callable[[int, float], None] | None = None
) -> PaperReviews:
    """Review any PDF, without a study, within the budget of the settings.

    The reviews and the log of all calls lie in a folder below `reviews/` of the workspace. The same PDF, model and
    profile have the same folder, so a review that was broken off goes on there, and one that is whole is not paid for
    again.

    Raises:
        UsageError: `path` is not a PDF with text in it.
        BudgetExceeded: the next call could exceed the budget.
        ModelError: the model cannot be asked.
    """
    paper = pdf_text(path)
    name = settings.models.for_role("review")
    folder = StudyFolder(_review_folder(path, settings, name))
    folder.root.mkdir(parents=True, exist_ok=True)
    with EventLog(folder.events) as log:
        model = open_model(name, settings, study_log=log, progress=progress)
        recorded = RecordedModel(model, log, Budget.from_settings(settings.budget, log), name=name)
        try:
            made = review_paper(Desk({"review": recorded}, settings.profile), paper)
        finally:
            recorded.close()
    folder.write(folder.root / "reviews.json", made)
    folder.write_text(folder.root / "review.md", made.text)
    return made


def _review_folder(path: Path, settings: Settings, model: str) -> Path:
    """One for each PDF, model and profile."""
    digest = hashlib.sha256(path.read_bytes())
    digest.update(f"{model} {settings.profile}".encode())
    return settings.lab / "reviews" / f"{path.stem}-{digest.hexdigest()[:12]}"


# -- one reviewer --------------------------------------------------------------------------------------


def _for_context(text: str, can: Capabilities) -> str:
    most = can.context_tokens - _RESERVED_TOKENS - _answer_tokens(can)
    if can.small:
        most = min(most, SMALL_PAPER_TOKENS)
    return fitted(text, max(most, 400), prose_only=can.small)


def _answer_tokens(can: Capabilities) -> int:
    """Longest filled form; a capable model thinks at length in `reasoning`."""
    return 600 if can.small else min(4000, can.context_tokens // 4)


def _member(asker: Asker, paper: str, number: int, depth: Depth) -> Review:
    step = f"review/review_{number}"
    can = asker.models["review"].capabilities
    base = {
        "paper": paper,
        "example_paper": EXAMPLE_PAPER if depth.examples else "",
        "example_review": EXAMPLE_REVIEW if depth.examples else "",
        "focus": FOCUS[(number - 1) % len(FOCUS)],
    }

    def check(form: ReviewForm | SmallReviewForm) -> list[str]:
        return problems_of(form) + _borrowed(form.model_dump_json(), paper, depth)

    kind: type[ReviewForm] | type[SmallReviewForm] = SmallReviewForm if can.small else ReviewForm
    question = Question(
        step=step,
        role="review",
        prompt="review_form",
        inputs=base,
        max_tokens=_answer_tokens(can),
        temperature=_TEMPERATURES[(number - 1) % len(_TEMPERATURES)],
    )
    form = asker.ask(question, kind, default=_give_up, check=check)
    return _reflected(asker, step, base, review_of(form), depth)


def _reflected(asker: Asker, step: str, base: dict[str, str], review: Review, depth: Depth) -> Review:
    """The review after its rounds of reflection; a round that fails ends them."""
    small = asker.models["review"].capabilities.small
    kind: type[Revision] | type[SmallRevision] = SmallRevision if small else Revision

    def check(revision: Revision | SmallRevision) -> list[str]:
        return _borrowed(revision.model_dump_json(), base["paper"], depth)

    for round_ in range(1, depth.reflections + 1):
        inputs = {**base, "review": review, "round": round_, "rounds": depth.reflections}
        question = Question(
            f"{step}/reflect_{round_}", "review", "review_reflect", inputs, 400 if small else 1200, 0.3
        )
        try:
            revision = asker.ask(question, kind, default=_give_up, check=check)
        except _NoAnswer:
            break
        review = revised(review, revision)
        if revision.done:
            break
    return review


def _give_up() -> NoReturn:
    raise _NoAnswer


def _borrowed(written: str, paper: str, depth: Depth) -> list[str]:
    if not depth.examples:
        return []
    terms = borrowed_terms(written, paper)
    return [f"this speaks of {', '.join(terms)}: that is the example's paper, not this one"] if terms else []
