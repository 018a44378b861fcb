"""What each section of a paper is to hold, for a model that writes it freely."""

from __future__ import annotations

WRITTEN_IN_ORDER = (
    "introduction",
    "background",
    "method",
    "setup",
    "results",
    "discussion",
    "conclusion",
    "related",
)
"""The order of writing; title and abstract come after it."""

GUIDANCE = {
    "introduction": "Three to five paragraphs: the problem and why it matters; what makes it hard; the "
    "hypothesis, as an open question; how "
    "it is tested; what was found, in one or two sentences with their claims; what the paper does not settle.",
    "background": "Two or three paragraphs: the concepts and earlier results that a reader needs, with "
    "citations. Nothing of this study's results.",
    "method": "The model or procedure and what is changed in it, exact enough to be repeated. Use the method "
    "facts with their "
    "configuration keys. Explain each edit of the code. No results.",
    "setup": "Runs, seeds, metrics and statistics: what was compared with what, by which test, with which "
    "correction. Say which runs were "
    "planned before results were seen and which are exploratory.",
    "results": "Every run, in the order of the hypothesis: primary metric first. Values with intervals, "
    "comparisons with their claims, failed runs too. "
    "Separate what was found from how it may be read.",
    "discussion": "What the results mean for the hypothesis, by which mechanism, which other explanations "
    "remain, what surprised. The code "
    "prints the limitations after your text; do not repeat them.",
    "conclusion": "One or two paragraphs: question, answer, bounds, next step. Nothing new.",
    "related": "Three to five paragraphs that set this study beside the works of the list: what each did "
    "that matters here and how this study "
    "differs. Cite at least ten works of the list where they bear on the subject.",
    "abstract": "One paragraph of 120 to 200 words: problem, question, method, main findings with their "
    "values by key and their claims, bounds.",
}
