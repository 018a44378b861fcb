"""The questions that a small model is asked for a paper, one paragraph each, in the order of writing.

Sentences begin with words that are given: they keep a small model to the point and mark every reading as one, so
that none can pass for a finding. Each question has a documented default: neutral text that is true of any study.
"""

from __future__ import annotations

from novum.literature.tex import escape
from novum.paper.brief import plain
from novum.paper.compose import measured, subjects
from novum.paper.material import Material
from novum.paper.prose import Shape
from novum.paper.small import Ask
from novum.paper.text import sentence_list

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
_CLOSE = (
    ("For a model of this kind it is worth keeping in mind that", "What remains is the insight that"),
    ("Whether the same holds elsewhere depends on", "How far this carries depends on"),
)
_RELATE = (
    ("What these works have in common is that they", "Taken together, these works suggest that"),
    ("The present study differs in that it", "The present study adds to them in that it"),
)
_BACKGROUND = (
    ("The mechanism at work may be that", "What may happen is that"),
    (
        "A trade-off can arise, because the same change may",
        "There is a trade-off, because the same change could",
    ),
    ("Much therefore depends on", "The outcome therefore depends on"),
)
_METHOD = (
    ("A model is a fair way to study this, because", "A model serves this question well, because"),
    ("What such a model leaves out is", "Such a model leaves out"),
)
_SETUP = (
    ("Changing one thing at a time is useful here, because", "One thing is changed at a time, because"),
    ("Several seeds are used, because", "Each setting is repeated with several seeds, because"),
)
_MOST_SUBJECTS = 2


def asks(material: Material) -> dict[str, Ask]:
    """The questions by section (`discussion` has two)."""
    changed = plain(sentence_list(subjects(material)[:_MOST_SUBJECTS]))
    seen = plain(sentence_list(measured(material)[:2]))
    field = material.template.domain or "this field"
    listed = (
        *_front(field, changed, seen),
        *_middle(changed),
        *_end(changed),
        *_outer(field, changed, material),
    )
    return {ask.step.removeprefix("write/"): ask for ask in listed}


def _front(field: str, changed: str, seen: str) -> tuple[Ask, ...]:
    frames = (
        (f"In {field} the choice of {changed} matters, because", f"The choice of {changed} matters, because"),
        ("On the one hand, a change may help, because", "On the one hand, a change may be of use, because"),
        ("On the other hand, it may do harm, because", "On the other hand, it may have a price, because"),
        (
            "This is hard to judge from observation alone, because",
            "Observation alone does not settle this, because",
        ),
    )
    return (
        Ask(
            "write/introduction",
            "Introduction",
            f"Write the opening paragraph of the introduction: why {changed} is a matter of judgement, and "
            f"how it may act on {seen}. "
            "Say nothing about the outcome of this study.",
            "Questions of this kind are hard to answer from observation alone, since many things change at "
            "once. An experiment in which "
            "one thing is changed at a time, and everything else is kept, can separate them.",
            Shape(openings=frames),
        ),
        Ask(
            "write/background",
            "Background",
            f"Explain by which mechanism {changed} can act on {seen}, and which trade-off lies in it. Say "
            f"nothing about the outcome of this study.",
            f"Whoever changes {changed} has to weigh one effect against another. A change that helps on one "
            f"metric may harm on "
            "another, so several metrics have to be looked at together.",
            Shape(openings=_BACKGROUND),
        ),
    )


def _middle(changed: str) -> tuple[Ask, ...]:
    return (
        Ask(
            "write/method",
            "Method",
            f"Say why a simple model is a fair way to study {changed}, and what such a model leaves out.",
            "A model of this kind leaves out much on purpose. What it keeps can be changed one thing at a "
            "time, which an observation does "
            "not allow.",
            Shape(openings=_METHOD),
        ),
        Ask(
            "write/setup",
            "Experimental setup",
            "Say why each run changes one thing and is compared with an unchanged baseline over several seeds.",
            "Each run changes as little as possible, so that a difference can be put down to that change. "
            "Several seeds show how much of a "
            "difference is chance.",
            Shape(openings=_SETUP),
        ),
    )


def _end(changed: str) -> tuple[Ask, ...]:
    return (
        Ask(
            "write/discussion",
            "Discussion: explanation",
            f"Offer a mechanism by which {changed} could bring about the outcome.",
            "A possible explanation is that the changes act through several mechanisms at once. It is also "
            "conceivable that one of them "
            "outweighs the others under the settings of the baseline. If so, one would expect that other "
            "settings of the baseline "
            "give another picture.",
            Shape(openings=_EXPLAIN),
        ),
        Ask(
            "write/discussion/open",
            "Discussion: open questions",
            f"Say what remains open about {changed} and which experiments could settle it.",
            "It remains open whether the picture is the same under other settings of the baseline. Further "
            "work could examine how the "
            "effects depend on each other when several things are changed at once. It would also be worth "
            "knowing whether more seeds "
            "bring out effects that were not detected here.",
            Shape(openings=_OPEN),
        ),
        Ask(
            "write/conclusion",
            "Conclusion",
            f"Close the paper on {changed}: what may be taken from this study, and on what it depends.",
            "Within the limits of this experiment it seems that changing one thing at a time is a workable "
            "way to tell effects apart. "
            "How far this carries depends on how well the model fits the case at hand.",
            Shape(openings=_CLOSE),
        ),
    )


def _outer(field: str, changed: str, material: Material) -> tuple[Ask, ...]:
    frames = (
        (
            f"How to choose {changed} is an open question in {field}, since",
            f"It is not obvious how to choose {changed}, since",
        ),
        ("An experiment with a model can help, because", "A model makes it possible to study this, because"),
    )
    return (
        Ask(
            "write/related",
            "Related work",
            f"The paper has just listed earlier works on {_topics(material)}. Say what they have in common "
            f"and how the present study of "
            f"{changed} relates to them.",
            "What these works have in common is that they ask which mechanisms matter for the outcome. The "
            "present study differs in that "
            "it changes one thing at a time in a single model and reports every run.",
            Shape(openings=_RELATE),
        ),
        Ask(
            "write/abstract",
            "Abstract",
            f"Open the abstract: why it is not obvious how to choose {changed}. Say nothing about the outcome.",
            f"Experiments in which one thing is changed at a time can tell effects apart. In {escape(field)} "
            f"this is a way to study "
            f"{changed}.",
            Shape(openings=frames),
        ),
    )


def _topics(material: Material) -> str:
    topics = [c.topic for c in material.template.paper.citations][:4]
    return ", ".join(topics) or material.template.title
