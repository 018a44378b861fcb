"""The example of a review that the `full` profile shows, and the guard against its words turning up in reviews.

Reviewers that are shown an example have been seen to write about the example's paper. So the example is about
a paper nobody submits here, and a review that uses its terms is sent back, unless the reviewed paper uses them.
"""

from __future__ import annotations

import re

EXAMPLE_PAPER = """\
Quiet Hulls: Bristle Coatings against Barnacle Growth in Brackish Harbours. We coat steel plates with silicone bristles
of three lengths and leave them in two harbours for eight weeks. Plates with the longest bristles carry fewer barnacles
than bare plates in the first harbour; in the second, where salinity is lower, we see no difference. Each treatment has
four plates. We conclude that bristle coatings are a general remedy against fouling."""

EXAMPLE_REVIEW = """\
{"reasoning": "The field test is honest work, but four plates a treatment in two harbours cannot carry a general \
conclusion, and the second harbour contradicts it.", \
"summary": "The paper tests silicone bristle coatings of three lengths against barnacle growth on steel plates in two \
harbours and finds less growth in one of them.", \
"strengths": ["The coatings are tested in the sea and not only in a tank.", \
"The harbour without a difference is reported as openly as the other."], \
"weaknesses": ["The conclusion says general remedy although one of two harbours shows no difference.", \
"Four plates a treatment are compared without intervals or a test."], \
"questions": ["Does salinity or the hull's current explain the difference between the harbours?"], \
"limitations": ["Eight weeks do not cover a season of growth."], \
"ethical_concerns": false, "soundness": 2, "presentation": 3, "contribution": 2, "overall": 4, "confidence": 4, \
"decision": "Reject"}"""

_TERMS = re.compile(
    r"\b(barnacle|bristle|brackish|harbour|salinity|silicone|hull|fouling|steel plate)s?\b", re.IGNORECASE
)


def borrowed_terms(review_text: str, paper_text: str) -> list[str]:
    """The example's terms that a review uses although its paper does not, each once."""
    of_paper = {term.lower() for term in _TERMS.findall(paper_text)}
    return sorted({term.lower() for term in _TERMS.findall(review_text)} - of_paper)
