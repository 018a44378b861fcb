"""The questions that a small model is asked for a paper, one paragraph each, in the order of writing.

Each has a documented default: neutral text that is true of any study. Sentences of the results, the discussion and
the conclusion begin with words that mark them as a reading, so that none can pass for a finding.
"""

from __future__ import annotations

from novum.literature.tex import escape
from novum.paper.brief import plain
from novum.paper.compose import measured, sentence_list, subjects
from novum.paper.material import Material
from novum.paper.prose import Shape
from novum.paper.small import Ask

_EXPLAIN = (
    ("A possible explanation is that", "One explanation that would fit is that"),
    ("It is also conceivable that", "Another reading is that"),
    ("If so, one would expect that", "This would mean that"),
)
_OPEN = (
    ("It remains open whether", "The present runs do not tell whether"),
    ("Further work could examine how", "A natural next step is to ask how"),
    ("It would also be worth knowing whether", "Nothing is known yet about whether"),
)
_READ = (
    ("One way to read these values is that", "A cautious reading is that"),
    ("At the same time it cannot be excluded that", "It could also be, however, that"),
)
_CLOSE = (
    ("For the model studied here this suggests that", "Within the limits of this experiment it seems that"),
    ("Whether the same holds elsewhere depends on", "How far this carries depends on"),
)
_RELATE = (
    ("What these works have in common is that", "Taken together, these works suggest that"),
    ("The present study differs in that", "The present study adds to them in that"),
)


def asks(material: Material) -> dict[str, Ask]:
    """The questions by section (`discussion` has two)."""
    changed, seen = plain(sentence_list(subjects(material))), plain(sentence_list(measured(material)[:2]))
    field = material.template.domain or "this field"
    listed = (
        _introduction(field, changed, seen),
        Ask(
            "write/background",
            "Background",
            f"Write three plain sentences that explain what {changed} means in {field} and which trade-off lies in it. "
            "Say nothing about the outcome of this study.",
            f"Whoever changes {changed} has to weigh one effect against another. A change that helps on one metric may harm on "
            "another, so several metrics have to be looked at together.",
        ),
        Ask(
            "write/method",
            "Method",
            f"Write two plain sentences on why a simple model is a fair way to study {changed}, and on what such a model leaves out.",
            "A model of this kind leaves out much on purpose. What it keeps can be changed one thing at a time, which an observation does not allow.",
            Shape(2),
        ),
        Ask(
            "write/setup",
            "Experimental setup",
            "Write two plain sentences on why each run changes one thing and is compared with an unchanged baseline over several seeds.",
            "Each run changes as little as possible, so that a difference can be put down to that change. Several seeds show how much of a "
            "difference is chance.",
            Shape(2),
        ),
        Ask(
            "write/results",
            "Results",
            f"Write two cautious sentences on how the outcome for {seen} may be read. The values themselves are printed already.",
            "One way to read these values is that the changes act on some metrics and not on others. At the same time it cannot be "
            "excluded that effects too small for this number of seeds have been missed.",
            Shape(openings=_READ),
        ),
        Ask(
            "write/discussion",
            "Discussion: explanation",
            f"Write three sentences that offer a mechanism by which {changed} could act on {seen}, given what came out.",
            "A possible explanation is that the changes act through several mechanisms at once. It is also conceivable that one of them "
            "outweighs the others under the settings of the baseline. If so, one would expect that other settings of the baseline "
            "give another picture.",
            Shape(openings=_EXPLAIN),
        ),
        Ask(
            "write/discussion/open",
            "Discussion: open questions",
            f"Write three sentences on what remains open about {changed} and which experiments could settle it.",
            "It remains open whether the picture is the same under other settings of the baseline. Further work could examine how the "
            "effects depend on each other when several things are changed at once. It would also be worth knowing whether more seeds "
            "bring out effects that were not detected here.",
            Shape(openings=_OPEN),
        ),
        Ask(
            "write/conclusion",
            "Conclusion",
            f"Write two closing sentences about {changed}: what may be taken from this study, and on what it depends.",
            "Within the limits of this experiment it seems that changing one thing at a time is a workable way to tell effects apart. "
            "How far this carries depends on how well the model fits the case at hand.",
            Shape(openings=_CLOSE),
        ),
        Ask(
            "write/related",
            "Related work",
            f"The paper has just listed earlier works on {_topics(material)}. Write two sentences that say what they have in common "
            f"and how the present study of {changed} relates to them.",
            "What these works have in common is that they ask which mechanisms matter for the outcome. The present study differs in that "
            "it changes one thing at a time in a single model and reports every run.",
            Shape(openings=_RELATE),
        ),
        Ask(
            "write/abstract",
            "Abstract",
            f"Write two plain sentences that open the abstract: why {changed} matters in {field}, and what is not obvious about it. "
            "Do not say what came out.",
            f"Experiments in which one thing is changed at a time can tell effects apart. In {escape(field)} this is a way to study "
            f"{changed}.",
            Shape(2),
        ),
    )
    return {ask.step.removeprefix("write/"): ask for ask in listed}


def _introduction(field: str, changed: str, seen: str) -> Ask:
    return Ask(
        "write/introduction",
        "Introduction",
        f"Write the opening paragraph of the introduction, four plain sentences: what problem {field} faces here, why {changed} is a "
        f"matter of judgement, and by which mechanism it may act on {seen}. Say nothing about the outcome of this study.",
        "Questions of this kind are hard to answer from observation alone, since many things change at once. An experiment in which one "
        "thing is changed at a time, and everything else is kept, can separate them.",
        Shape(4),
    )


def _topics(material: Material) -> str:
    topics = [c.topic for c in material.template.paper.citations][:4]
    return ", ".join(topics) or material.template.title
