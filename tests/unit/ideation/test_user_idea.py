from __future__ import annotations

from pathlib import Path

import pytest

from novum.errors import UsageError
from novum.ideation.user_idea import user_idea


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "idea.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_json(tmp_path: Path) -> None:
    idea = user_idea(
        written(tmp_path, '{"title": "Early Starts", "hypothesis": "h is so", "plan": ["a", "b"]}')
    )
    assert (idea.name, idea.plan, idea.source) == ("early_starts", "a b", "user")


def test_json_of_the_first_ai_scientist(tmp_path: Path) -> None:
    text = (
        '{"Name": "early_start", "Title": "T of it", "Hypothesis": "h", "Experiment": "do it", "Novelty": 5}'
    )
    idea = user_idea(written(tmp_path, text))
    assert (idea.name, idea.title, idea.plan) == ("early_start", "T of it", "do it")


def test_markdown_with_headings(tmp_path: Path) -> None:
    idea = user_idea(
        written(tmp_path, "# Early Starts\n\n## Hypothesis\nEarlier is\nbetter.\n\n## Plan:\nSweep it.\n")
    )
    assert (idea.title, idea.hypothesis, idea.plan) == ("Early Starts", "Earlier is\nbetter.", "Sweep it.")


def test_plain_paragraphs(tmp_path: Path) -> None:
    idea = user_idea(
        written(tmp_path, "\ufeffEarly Starts\n\nEarlier is better.\n\nSweep it.\n\nThen stop.\n")
    )
    assert (idea.title, idea.hypothesis, idea.plan) == (
        "Early Starts",
        "Earlier is better.",
        "Sweep it.\n\nThen stop.",
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("# Only a title", "no hypothesis and no plan"),
        ('{"title": "x"}', "no hypothesis and no plan"),
        ('{"title": ', "not valid JSON"),
        ("[1, 2]", "JSON list"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ("x" * 200_001, "200001 bytes"),
    ],
)
def test_bad_files_say_what_is_wrong_and_how_an_idea_is_written(
    tmp_path: Path, text: str | bytes, says: str
) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        user_idea(written(tmp_path, text))
    assert "## Hypothesis" in caught.value.next_step


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        user_idea(tmp_path / "none.md")


def test_a_folder_is_not_an_idea(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        user_idea(tmp_path)
