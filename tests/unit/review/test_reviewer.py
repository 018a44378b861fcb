from __future__ import annotations

import re
from typing import Any

import pytest

from novum.llm import Request
from novum.llm.nonsense import random_model
from novum.llm.schema import schema_of
from novum.records import Review
from novum.review.example import EXAMPLE_PAPER, EXAMPLE_REVIEW, borrowed_terms
from novum.review.form import ACCEPT_FROM, ReviewForm, SmallReviewForm, decision_for
from novum.review.pdf_text import PaperText
from novum.review.reviewer import DEPTHS, review_paper

from .conftest import FORM, META, REVISION, SMALL_FORM, WORDS, desk, reviewer

PAPER = PaperText(f"Timing Matters\n{WORDS * 5}\nReferences\n[1] A. Author, On Waves, 2007.")
FREE = {**FORM, **SMALL_FORM, "decision": "Reject"}


def steps_of(**options: Any) -> list[str]:
    steps = []

    def play(request: Request) -> Any:
        steps.append(request.step)
        return reviewer(form=FREE, reflect={**REVISION, "done": False})(request)

    review_paper(desk(play, **options), PAPER)
    return steps


def test_quick_is_three_reviews_with_one_reflection_each_and_a_meta_review() -> None:
    expected = [s for n in (1, 2, 3) for s in (f"review/review_{n}", f"review/review_{n}/reflect_1")]
    assert steps_of() == [*expected, "review/meta"]


def test_full_is_five_reviews_with_up_to_five_reflections_and_an_example() -> None:
    steps = steps_of(small=False, profile="full")
    assert len([s for s in steps if "reflect" in s]) == 25
    assert len([s for s in steps if re.fullmatch(r"review/review_\d", s)]) == 5
    assert DEPTHS["full"].examples == 1


def test_the_paper_comes_first_and_is_the_same_bytes_in_every_prompt() -> None:
    prompts: dict[str, str] = {}

    def play(request: Request) -> Any:
        prompts[request.step] = "\n".join(message.text for message in request.messages)
        return reviewer()(request)

    review_paper(desk(play), PAPER)
    heads = {text.partition("PAPER>>>")[0] for step, text in prompts.items() if step != "review/meta"}
    assert len(heads) == 1 and WORDS.strip() in heads.pop()
    assert all(
        text.index("PAPER>>>") < text.index("Task") for s, text in prompts.items() if s != "review/meta"
    )


def test_members_of_the_ensemble_are_asked_differently() -> None:
    asked = []

    def play(request: Request) -> Any:
        asked.append((request.messages[-1].text, request.temperature))
        return reviewer()(request)

    review_paper(desk(play), PAPER)
    forms = [pair for pair in asked if "Look first" in pair[0]]
    assert len({text for text, _ in forms}) == len({t for _, t in forms}) == 3


@pytest.mark.parametrize("profile", ["quick", "full"])
@pytest.mark.parametrize("small", [True, False])
def test_no_placeholder_reaches_a_model_unfilled(profile: Any, small: bool) -> None:
    """The first AI Scientist sent the literal text 'Round {current_round}/{num_reflections}.'"""
    texts = []

    def play(request: Request) -> Any:
        texts.append(request.messages[-1].text)
        return reviewer(form=FREE, reflect={**REVISION, "done": False})(request)

    review_paper(desk(play, small=small, profile=profile), PAPER)
    shown = [text.replace(EXAMPLE_REVIEW, "") for text in texts]
    assert not [text for text in shown if re.search(r"\{\{|\{%|\{[a-z_]+\}", text)]
    rounds = 5 if profile == "full" else 1
    assert any(re.search(rf"(?:round|check) {rounds} of (?:at most )?{rounds}", text) for text in shown)


# -- reflection ----------------------------------------------------------------------------------------


def test_a_reflection_changes_scores_and_adds_what_was_missed() -> None:
    revision = {**REVISION, "overall": 7, "weakness": "No code is given.", "question": "Where is the code?"}
    made = review_paper(desk(reviewer(form=FREE, reflect=revision), small=False), PAPER)
    review = made.reviews[0]
    assert (review.overall, review.decision) == (7, "Accept")
    assert review.weaknesses[-1] == "No code is given." and review.questions[-1] == "Where is the code?"
    assert review.strengths == tuple(FORM["strengths"])


@pytest.mark.parametrize(
    "bad",
    ["{not JSON", {**REVISION, "overall": 99}, {**REVISION, "soundness": "good"}, {"decision": "Maybe"}],
)
def test_an_invalid_reflection_keeps_the_earlier_review(bad: Any) -> None:
    """In the first AI Scientist the last reflection replaced the review unvalidated: Overall 99, decision Maybe."""
    made = review_paper(desk(reviewer(reflect=bad)), PAPER)
    assert [r.overall for r in made.reviews] == [5, 5, 5]
    assert all(r.source == "model" for r in made.reviews)


def test_reflection_ends_when_it_is_done() -> None:
    steps = []

    def play(request: Request) -> Any:
        steps.append(request.step)
        return reviewer(form=FREE)(request)

    review_paper(desk(play, small=False, profile="full"), PAPER)
    assert len([s for s in steps if "reflect" in s]) == 5


# -- the form ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("soundness", 5),
        ("presentation", 0),
        ("contribution", -1),
        ("overall", 11),
        ("overall", "ten"),
        ("confidence", 6),
        ("decision", "Maybe"),
        ("strengths", "good"),
    ],
)
def test_values_outside_the_form_are_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        ReviewForm.model_validate({**FREE, field: value})


def test_reasoning_comes_before_every_judgement() -> None:
    assert next(iter(ReviewForm.model_fields)) == "reasoning"


@pytest.mark.parametrize("overall", range(1, 11))
def test_the_decision_follows_the_score(overall: int) -> None:
    assert decision_for(overall) == ("Accept" if overall >= ACCEPT_FROM else "Reject")


def test_a_decision_against_the_score_is_sent_back_with_the_rule() -> None:
    """Of 500 reviews of the first AI Scientist 151 reject with an overall score of 6 or more."""
    told = []

    def form(request: Request) -> Any:
        if "retry" in request.step:
            told.append(request.messages[-1].text)
            return {**FREE, "overall": 7, "decision": "Accept"}
        return {**FREE, "overall": 7, "decision": "Reject"}

    made = review_paper(desk(reviewer(form=form, reflect={**REVISION, "overall": 7}), small=False), PAPER)
    assert {r.decision for r in made.reviews} == {"Accept"}
    assert "contradicts the overall score 7" in told[0]


def test_a_point_that_is_called_strength_and_weakness_counts_once() -> None:
    """Seen with the embedded model, which said the same again when it was told; its review was lost for it."""
    form = {
        **SMALL_FORM,
        "weakness": SMALL_FORM["strength"],
        "other_weakness": "Only one contact matrix is used.",
    }
    made = review_paper(desk(reviewer(form=form)), PAPER)
    assert made.failed == 0
    assert made.reviews[0].weaknesses == ("Only one contact matrix is used.",)
    form = {**form, "other_weakness": SMALL_FORM["other_strength"]}
    made = review_paper(desk(reviewer(form=form)), PAPER)
    assert made.failed == 3


@pytest.mark.parametrize(
    ("sentence", "fits"),
    [
        ("The p value of 0.03 is small for five seeds.", True),
        ("Does it hold for other towns?", True),
        ("The results are cut in the middle of a", False),
        ("One sentence. And another one.", False),
        ('It says "quoted" things and goes on.', False),
        ("Too short.", False),
    ],
)
def test_a_small_model_writes_single_whole_sentences(sentence: str, fits: bool) -> None:
    """Seen with the embedded model: text cut by a limit, then the next field's name inside the list."""
    form = {**SMALL_FORM, "strength": sentence}
    if fits:
        assert SmallReviewForm.model_validate(form).strengths[0] == sentence
    else:
        with pytest.raises(ValueError, match="strength"):
            SmallReviewForm.model_validate(form)


def test_the_pattern_of_a_sentence_reaches_the_decoder() -> None:
    assert schema_of(SmallReviewForm)["properties"]["weakness"]["pattern"].startswith("^[A-Z]")


def test_a_contradiction_that_stays_leaves_the_member_out() -> None:
    def form(request: Request) -> Any:
        return {**FREE, "decision": "Accept" if "review_2" in request.step else "Reject"}

    made = review_paper(desk(reviewer(form=form), small=False), PAPER)
    assert (len(made.reviews), made.failed) == (2, 1)


# -- the ensemble --------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["nonsense", {**SMALL_FORM, "overall": "six"}, {"overall": 5}, "[1, 2]"])
def test_one_invalid_member_does_not_break_the_rest(bad: Any) -> None:
    """In the first AI Scientist one string among the scores failed the paper after hours of work."""

    def form(request: Request) -> Any:
        return bad if "review_2" in request.step else SMALL_FORM

    made = review_paper(desk(reviewer(form=form)), PAPER)
    assert (len(made.reviews), made.failed) == (2, 1)
    assert made.meta.source == "model"
    assert "1 of 3 reviewers gave no valid review" in made.text


def test_scores_are_means_rounded_half_up() -> None:
    def at(name: str, scores: dict[str, int]) -> Any:
        def value(request: Request) -> Any:
            base = SMALL_FORM if name == "form" else REVISION
            return {**base, "overall": scores[request.step.split("/")[1][-1]]}

        return value

    scores = {"1": 5, "2": 6, "3": 7}
    made = review_paper(desk(reviewer(form=at("form", scores), reflect=at("reflect", scores))), PAPER)
    assert (made.meta.overall, made.meta.decision) == (6, "Accept")
    two = {"1": 5, "2": 6, "3": 99}
    made = review_paper(desk(reviewer(form=at("form", two), reflect="")), PAPER)
    assert made.meta.overall == 6


def test_a_meta_review_only_holds_points_of_the_reviews() -> None:
    made = review_paper(desk(reviewer()), PAPER)
    assert made.meta.summary == META["summary"]
    assert made.meta.weaknesses == (FORM["weaknesses"][1], FORM["weaknesses"][0])
    assert made.meta.strengths == (FORM["strengths"][0],)


def test_a_summary_that_a_limit_cut_ends_with_its_last_whole_sentence() -> None:
    cut = "The reviewers find the study careful but narrow in its evidence. They disagree that the paper does"
    made = review_paper(desk(reviewer(form=FREE, meta={**META, "summary": cut}), small=False), PAPER)
    assert made.meta.summary == "The reviewers find the study careful but narrow in its evidence."


def test_a_meta_review_that_names_points_nobody_made_is_a_default() -> None:
    made = review_paper(desk(reviewer(meta={**META, "weaknesses": [17]})), PAPER)
    assert made.meta.source == "default"
    assert set(made.meta.weaknesses) <= set(FORM["weaknesses"])


def test_ethical_concerns_of_one_are_concerns_of_the_meta_review() -> None:
    def form(request: Request) -> Any:
        return {**SMALL_FORM, "ethical_concerns": "review_3" in request.step}

    assert review_paper(desk(reviewer(form=form)), PAPER).meta.ethical_concerns


def test_no_valid_review_at_all_is_a_marked_default_that_never_accepts() -> None:
    made = review_paper(desk(lambda _: "nonsense"), PAPER)
    assert made.reviews == ()
    assert (made.meta.source, made.meta.confidence, made.meta.decision) == ("default", 1, "Reject")
    assert "No review could be made" in made.text


# -- the example ---------------------------------------------------------------------------------------


def test_words_of_the_example_in_a_review_are_sent_back() -> None:
    """184 of 500 published machine reviews spoke of the few-shot example's 'autoencoder aggregator'."""
    told = []

    def form(request: Request) -> Any:
        if "retry" in request.step:
            told.append(request.messages[-1].text)
            return FREE
        return {**FREE, "weaknesses": ["The bristle coatings are tested in one harbour only."]}

    made = review_paper(desk(reviewer(form=form), small=False, profile="full"), PAPER)
    assert "bristle, harbour" in told[0]
    assert "bristle" not in made.text


def test_words_of_the_example_in_a_reflection_are_not_taken_over() -> None:
    revision = {**REVISION, "weakness": "Salinity is not controlled."}
    made = review_paper(desk(reviewer(form=FREE, reflect=revision), small=False, profile="full"), PAPER)
    assert "alinity" not in made.text and made.failed == 0


def test_a_paper_about_harbours_may_be_reviewed_in_its_own_words() -> None:
    assert borrowed_terms("The harbour is small.", "We dredge a harbour.") == []
    assert borrowed_terms("The harbour has barnacles.", "We dredge a harbour.") == ["barnacle"]


def test_quick_shows_no_example() -> None:
    prompts = []

    def play(request: Request) -> Any:
        prompts.append(request.messages[-1].text)
        return reviewer()(request)

    review_paper(desk(play), PAPER)
    assert not [p for p in prompts if "Quiet Hulls" in p]
    assert "Quiet Hulls" in EXAMPLE_PAPER


def test_the_example_keeps_its_own_rules() -> None:
    form = ReviewForm.model_validate_json(EXAMPLE_REVIEW)
    assert form.decision == decision_for(form.overall)


@pytest.mark.parametrize("seed", range(12))
def test_random_replies_always_end_in_a_valid_meta_review(seed: int) -> None:
    model = random_model(seed)
    made = review_paper(desk(lambda request: model.complete(request).text), PAPER)
    assert Review.model_validate(made.meta.model_dump()) == made.meta
    assert len(made.reviews) + made.failed == 3
