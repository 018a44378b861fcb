"""The project's own scripts: sizes, generated pages, the demo's assertion."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Load = Callable[[str], ModuleType]


def function(name: str, lines: int, docstring: str = "") -> str:
    body = [f'    """{docstring}"""'] if docstring else []
    return "\n".join([f"def {name}():", *body, *["    x = 1"] * (lines - 1)]) + "\n"


# -- sizes ---------------------------------------------------------------------------------------------


def test_a_function_counts_from_def_to_its_end_without_its_docstring(tmp_path: Path, script: Load) -> None:
    path = tmp_path / "a.py"
    path.write_text(function("f", 7, docstring="one\n\n    three"), encoding="utf-8")
    sizes = {s.kind: s.lines for s in script("check_sizes").measure(path)}
    assert sizes == {"file": 10, "function": 7}


def test_methods_and_nested_functions_count_too(tmp_path: Path, script: Load) -> None:
    path = tmp_path / "a.py"
    path.write_text(
        "class A:\n    def m(self):\n        def n(): pass\n        async def o(): pass\n", encoding="utf-8"
    )
    sizes = script("check_sizes").measure(path)
    assert [s.place.split()[-1] for s in sizes if s.kind == "function"] == ["m", "n", "o"]


def test_one_long_file_among_many_is_allowed_and_none_passes_the_cap(script: Load) -> None:
    sizes = script("check_sizes")
    many = [sizes.Size("file", f"f{n}", 100) for n in range(30)]
    assert sizes.problems([*many, sizes.Size("file", "long", 400)]) == []
    (problem,) = sizes.problems([*many, sizes.Size("file", "huge", 401)])
    assert problem.startswith("huge: 401 lines")


def test_many_long_functions_are_named_longest_first(script: Load) -> None:
    sizes = script("check_sizes")
    short = [sizes.Size("function", f"s{n}", 5) for n in range(10)]
    found = sizes.problems([*short, sizes.Size("function", "a", 41), sizes.Size("function", "b", 60)])
    assert "95th percentile is 60 lines, more than 40" in found[0]
    assert [line.split(":")[0] for line in found[1:]] == ["b", "a"]


def test_the_percentile_is_a_length_that_occurs(script: Load) -> None:
    sizes = script("check_sizes")
    assert sizes.percentile(list(range(1, 101))) == 95
    assert sizes.percentile([7]) == 7


def test_the_script_exits_with_1_and_names_the_offender(
    tmp_path: Path, script: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "good.py").write_text(function("f", 10), encoding="utf-8")
    assert script("check_sizes").main([str(tmp_path)]) == 0
    (tmp_path / "bad.py").write_text(function("f", 100), encoding="utf-8")
    assert script("check_sizes").main([str(tmp_path)]) == 1
    assert "bad.py:1 f: 100 lines" in capsys.readouterr().out


# -- generated pages -----------------------------------------------------------------------------------


def test_the_generated_pages_are_up_to_date(script: Load) -> None:
    assert script("generate_docs").main(check=True) == 0


def test_a_page_that_is_out_of_date_is_found_and_mended(
    tmp_path: Path, script: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = script("generate_docs")
    monkeypatch.setattr(docs, "DOCS", tmp_path)
    assert docs.main(check=True) == 1
    assert list(tmp_path.iterdir()) == []
    assert docs.main(check=False) == 0
    assert docs.main(check=True) == 0
    (tmp_path / "events.md").write_text("old", encoding="utf-8")
    assert docs.main(check=True) == 1


def test_a_cell_cannot_break_its_table(script: Load) -> None:
    assert script("generate_docs").cell("a | b\nc") == "a \\| b c"


# -- the demo's assertion ------------------------------------------------------------------------------


@pytest.fixture
def study(tmp_path: Path) -> Path:
    study = tmp_path / "studies" / "20260101-a"
    for folder in (study / "drafts" / "0", study / "paper" / "reviews"):
        folder.mkdir(parents=True)
    (study / "events.jsonl").write_text("", encoding="utf-8")
    audit = {"passes": True, "unbound_numbers": [], "answered_share": 0.9, "default_phases": []}
    for folder in (study / "drafts" / "0", study / "paper"):
        (folder / "audit.json").write_text(json.dumps(audit), encoding="utf-8")
    for name in ("meta", "review_1"):
        review = study / "paper" / "reviews" / f"{name}.json"
        review.write_text(json.dumps({"source": "model"}), encoding="utf-8")
    for folder in (study / "drafts" / "0", study / "paper"):
        (folder / "paper.pdf").write_bytes(b"%PDF-1.7\n")
    return study


def test_a_good_demo_passes(tmp_path: Path, study: Path, script: Load) -> None:
    assert script("assert_demo").main([str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("audit", "said"),
    [
        ({"passes": False}, "did not pass"),
        ({"passes": None}, "did not pass"),
        ({"unbound_numbers": ["0.37"]}, "0.37"),
        ({"unbound_numbers": None}, "bound to no result"),
        ({"answered_share": 0.79}, "79% of the steps"),
        ({"default_phases": ["review"]}, "defaults alone: ['review']"),
        ({"default_phases": None}, "defaults alone"),
    ],
)
def test_an_audit_that_does_not_pass_or_does_not_say_so_fails(
    study: Path, script: Load, audit: dict[str, object], said: str
) -> None:
    path = study / "drafts" / "0" / "audit.json"
    good = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(good | audit), encoding="utf-8")
    assert any(said in problem for problem in script("assert_demo").problems(study))


@pytest.mark.parametrize(
    "name",
    [
        "paper/paper.pdf",
        "drafts/0/paper.pdf",
        "paper/audit.json",
        "drafts/0/audit.json",
        "paper/reviews/meta.json",
        "paper/reviews/review_1.json",
    ],
)
def test_a_missing_file_fails(study: Path, script: Load, name: str) -> None:
    (study / name).unlink()
    assert script("assert_demo").problems(study)


def test_a_review_that_no_model_made_fails(study: Path, script: Load) -> None:
    (study / "paper" / "reviews" / "meta.json").write_text(
        json.dumps({"source": "default"}), encoding="utf-8"
    )
    assert any("made by default" in problem for problem in script("assert_demo").problems(study))


def test_a_file_that_is_no_pdf_fails(study: Path, script: Load) -> None:
    (study / "paper" / "paper.pdf").write_text("<html>", encoding="utf-8")
    assert script("assert_demo").problems(study)


def test_a_workspace_without_a_study_fails(tmp_path: Path, script: Load) -> None:
    with pytest.raises(SystemExit):
        script("assert_demo").main([str(tmp_path)])
