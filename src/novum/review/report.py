"""The reviews of one paper, and how people read them."""

from __future__ import annotations

from novum.records import Record, Review

NOTICE = (
    "These reviews were written by a machine, without a person's reading of the paper. They are no substitute for "
    "peer review and must not be handed in as one."
)
_SCALES = {"soundness": 4, "presentation": 4, "contribution": 4, "overall": 10, "confidence": 5}


class PaperReviews(Record):
    """The valid reviews of the ensemble and the meta-review. `failed` counts members without a valid review."""

    notice: str = NOTICE
    model: str
    reviews: tuple[Review, ...]
    meta: Review
    failed: int = 0
    removed: tuple[str, ...] = ()
    """Sentences of the paper that addressed a model or a reviewer; no reviewer saw them."""

    @property
    def text(self) -> str:
        """All of it as Markdown."""
        parts = ["# Machine-written review", NOTICE, f"Reviewer model: `{self.model}`."]
        if self.removed:
            found = "\n".join(f"> {sentence[:300]}" for sentence in self.removed)
            parts.append(
                f"Text addressed to a reviewing model was found in the paper and not shown to it:\n\n{found}"
            )
        if self.failed:
            parts.append(
                f"{self.failed} of {self.failed + len(self.reviews)} reviewers gave no valid review."
            )
        parts.append(_section("Meta-review (machine-written)", self.meta))
        parts += [_section(f"Review {n} (machine-written)", r) for n, r in enumerate(self.reviews, start=1)]
        return "\n\n".join(parts) + "\n"


def _section(title: str, review: Review) -> str:
    scores = ", ".join(f"{name} {getattr(review, name)}/{top}" for name, top in _SCALES.items())
    concerns = "yes" if review.ethical_concerns else "none"
    lines = [f"## {title}", f"**{review.decision}**: {scores}. Ethical concerns: {concerns}."]
    if review.source == "default":
        lines.append("*Not a judgement of a model: a default stands here.*")
    lines.append(review.summary)
    for name in ("strengths", "weaknesses", "questions", "limitations"):
        points = getattr(review, name)
        if points:
            lines.append(f"**{name.capitalize()}**\n\n" + "\n".join(f"- {point}" for point in points))
    return "\n\n".join(lines)
