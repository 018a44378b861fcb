from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novum.errors import TemplateError
from novum.ideation.drafts import QUESTIONS, ChoiceForms, ChosenIdea, twin_of
from novum.ideation.facts import Earlier, facts_of
from novum.ideation.ideate import propose_ideas
from novum.ideation.wording import identifier, token_overlap, whole_sentences
from novum.llm import Request
from novum.records import Idea
from novum.template import Template

from .conftest import MakeTools

CHOICE = {
    "reasoning": "Nobody asked about the season.",
    "subject": "seasonality",
    "quantity": "day of the peak",
    "direction": "raises",
    "reason": "Transmission is lower in the first weeks, so the epidemic grows later.",
    "title": "Seasonal Transmission and the Day of the Peak",
}
CORRECTION = {
    "reasoning": "The direction is wrong.",
    "direction": "lowers",
    "reason": "transmission is higher in the first weeks.",
    "answers": [True, False, True] * 3,
    "done": True,
}
FREE = {
    "reasoning": "...",
    "subject": "isolation",
    "title": "Isolation and the Cost of Contacts",
    "hypothesis": "More isolation lowers the attack rate because chains of infection end early.",
    "plan": "Sweep the isolated share over four values and compare with the baseline.",
}


def replies(**by_part: Any) -> Any:
    """A player that answers by the last part of the step: `idea`, `reflect`."""

    def play(request: Request) -> Any:
        part = "reflect" if "reflect" in request.step else "idea"
        return by_part[part]

    return play


def test_a_small_model_chooses_and_the_code_writes_the_sentences(make_tools: MakeTools) -> None:
    [idea] = propose_ideas(make_tools(replies(idea=CHOICE, reflect=CORRECTION)), 1)
    assert idea.subject == "seasonality"
    assert idea.name == "seasonal_transmission_day_peak"
    assert idea.hypothesis == (
        "Increasing the amplitude of the season lowers the day of the peak, because transmission is higher in the "
        "first weeks."
    )
    assert "`seasonality` to 0.05, 0.1, 0.2, 0.3, 0.4" in idea.plan
    assert idea.source == "model"


def test_self_scores_are_sums_of_stated_criteria(make_tools: MakeTools) -> None:
    [idea] = propose_ideas(make_tools(replies(idea=CHOICE, reflect=CORRECTION)), 1)
    scores = (idea.interestingness, idea.feasibility, idea.novelty_score)
    assert [score.total for score in scores if score] == [2, 2, 2]
    assert tuple(c.question for score in scores if score for c in score.criteria) == QUESTIONS


def test_a_capable_model_writes_its_own_sentences_and_reflects_up_to_three_times(
    make_tools: MakeTools,
) -> None:
    steps = []

    def play(request: Request) -> Any:
        steps.append(request.step)
        if "reflect" not in request.step:
            return FREE
        plan = f"Sweep the isolated share in version {request.step[-1]}."
        return {**FREE, "plan": plan, "answers": [True] * 9, "done": False}

    [idea] = propose_ideas(make_tools(play, small=False, profile="full"), 1)
    assert steps == ["ideate/idea_1", *(f"ideate/idea_1/reflect_{n}" for n in (1, 2, 3))]
    assert idea.plan.endswith("version 3.")


def test_the_second_idea_is_conditioned_on_the_first(make_tools: MakeTools) -> None:
    prompts: dict[str, str] = {}

    def play(request: Request) -> Any:
        prompts[request.step] = request.messages[-1].text
        if "reflect" in request.step:
            return CORRECTION
        other = {**CHOICE, "subject": "mixing", "title": "Who Meets Whom in Town", "quantity": "attack rate"}
        return CHOICE if request.step == "ideate/idea_1" else other

    first, second = propose_ideas(make_tools(play), 2)
    assert first.title not in prompts["ideate/idea_1"]
    assert first.title in prompts["ideate/idea_2"]
    assert second.hypothesis.startswith("Changing the contact structure lowers")


def test_an_idea_that_exists_is_sent_back_and_then_dropped_for_a_default(make_tools: MakeTools) -> None:
    agreed = {**FREE, "answers": [True] * 9, "done": True}
    play = replies(idea=FREE, reflect=agreed)
    old = propose_ideas(make_tools(play, small=False), 1)
    tools = make_tools(
        replies(idea={**FREE, "plan": "Sweep it over six values."}, reflect=agreed), small=False
    )
    [idea] = propose_ideas(tools, 1, old, first=2)
    assert idea.source == "default"
    assert "exists already" in next(e for e in tools.log.events("step_defaulted")).data["reason"]


def test_a_small_model_that_proposes_what_exists_chooses_anew_without_it(make_tools: MakeTools) -> None:
    """Told that its idea existed, the embedded model gave the same three times, and the study took a default."""
    play = replies(idea=CHOICE, reflect=CORRECTION)
    old = propose_ideas(make_tools(play), 1)
    other = {**CHOICE, "subject": "mixing", "title": "Who Meets Whom in Town", "quantity": "attack rate"}
    asked = []

    def stubborn(request: Request) -> Any:
        if "reflect" in request.step:
            return CORRECTION
        choices = (request.json_schema or {})["properties"]["subject"]
        asked.append((request.step, "seasonality" in json.dumps(choices)))
        return CHOICE if asked[-1][1] else other

    tools = make_tools(stubborn)
    [idea] = propose_ideas(tools, 1, old, first=2)
    assert (idea.source, idea.subject) == ("model", "mixing")
    assert asked == [("ideate/idea_2", True), ("ideate/idea_2/other_1", False)]
    assert not list(tools.log.events("step_defaulted"))


def test_a_seed_idea_of_the_template_counts_as_existing(epidemic: Template) -> None:
    facts = facts_of(epidemic)
    seed = facts.seed_ideas[0]
    assert twin_of(seed.text, facts.seed_ideas) == seed
    reworded = (
        f"{seed.title}. A stronger temporary contact reduction postpones the peak rather than lowers it, because more "
        "people remain susceptible when it ends."
    )
    assert twin_of(reworded, facts.seed_ideas) == seed


def test_different_ideas_of_one_template_are_not_twins(epidemic: Template) -> None:
    ideas = facts_of(epidemic).seed_ideas
    for number, idea in enumerate(ideas):
        assert twin_of(idea.text, [*ideas[:number], *ideas[number + 1 :]]) is None


def test_a_reflection_that_fails_keeps_the_idea(make_tools: MakeTools) -> None:
    [idea] = propose_ideas(make_tools(replies(idea=CHOICE, reflect="no JSON at all")), 1)
    assert "raises the day of the peak" in idea.hypothesis
    assert idea.interestingness is None and idea.source == "model"


def test_a_reason_about_the_idea_itself_is_sent_back(make_tools: MakeTools) -> None:
    """Seen with the embedded model: 'The improved hypothesis, which includes the mechanism, is more useful.'"""
    bad = {**CORRECTION, "reason": "The improved hypothesis names the mechanism better."}
    tools = make_tools(replies(idea=CHOICE, reflect=bad))
    [idea] = propose_ideas(tools, 1)
    assert "improved" not in idea.hypothesis
    assert [e.data["step"] for e in tools.log.events("step_defaulted")] == ["ideate/idea_1/reflect_1"]


def test_without_a_usable_model_the_default_is_a_sweep_chosen_by_the_seed(make_tools: MakeTools) -> None:
    def ideas_with(seed: int) -> list[Idea]:
        return propose_ideas(make_tools(lambda _: "nothing", seed=seed), 3)

    assert [idea.subject for idea in ideas_with(0)] == ["reduction", "reduction_start", "reduction_days"]
    assert [idea.subject for idea in ideas_with(2)][:2] == ["reduction_days", "isolation"]
    assert all(idea.source == "default" for idea in ideas_with(0))


def test_defaults_do_not_repeat_what_the_archive_holds(make_tools: MakeTools, epidemic: Template) -> None:
    tools = make_tools(lambda _: "nothing")
    archive = propose_ideas(tools, 1)
    [idea] = propose_ideas(tools, 1, archive)
    assert idea.subject == epidemic.parameters[1].name


def test_a_template_without_parameters_and_a_model_without_ideas_is_one_clear_error(
    make_tools: MakeTools, epidemic: Template
) -> None:
    bare = epidemic.model_copy(update={"parameters": (), "functions": ()})
    with pytest.raises(TemplateError, match="--idea FILE"):
        propose_ideas(make_tools(lambda _: "nothing", template=bare), 1)


def test_the_same_answers_give_the_same_ideas_when_resumed(make_tools: MakeTools) -> None:
    player = replies(idea=CHOICE, reflect=CORRECTION)
    assert propose_ideas(make_tools(player), 1) == propose_ideas(make_tools(player), 1)


def test_only_subjects_and_quantities_of_the_template_can_be_chosen(epidemic: Template) -> None:
    forms = ChoiceForms(facts_of(epidemic))
    with pytest.raises(ValueError, match="subject"):
        forms.draft.model_validate({**CHOICE, "subject": "moon_phase"})
    with pytest.raises(ValueError, match="quantity"):
        forms.draft.model_validate({**CHOICE, "quantity": "happiness"})


def test_a_function_makes_a_whole_sentence(epidemic: Template) -> None:
    forms = ChoiceForms(facts_of(epidemic))
    written = forms.written(ChosenIdea(**{**CHOICE, "subject": "contact_multiplier"}))
    assert written.hypothesis.startswith(
        "Changing when, and by how much, people reduce their contacts raises the day of the peak, because transmission"
    )
    assert "`contact_multiplier`" in written.plan


@given(st.text(max_size=120), st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True), max_size=4))
def test_names_fit_folders_and_are_unique(title: str, taken: list[str]) -> None:
    name = identifier(title, taken)
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,59}", name)
    assert name not in taken


def test_an_identifier_that_is_taken_gets_a_number() -> None:
    assert identifier("Slow Start", ["slow_start", "slow_start_2"]) == "slow_start_3"


@pytest.mark.parametrize(
    ("cut", "whole"),
    [
        ("One thing is so. And another was cu", "One thing is so."),
        ("It has no end", "It has no end."),
        ("It  ends\nwell.", "It ends well."),
        ("", ""),
    ],
)
def test_a_sentence_that_a_limit_cut_goes(cut: str, whole: str) -> None:
    assert whole_sentences(cut) == whole


def test_forms_of_a_word_count_as_the_same_word() -> None:
    assert token_overlap("Waves, boxes and the losses of a virus", "A wave, the box, a loss and viruses") > 85


def test_an_earlier_idea_compares_by_title_and_hypothesis() -> None:
    assert Earlier("A title", "A hypothesis.").text == "A title. A hypothesis."
