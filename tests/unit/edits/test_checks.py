from pathlib import Path

from novum.edits.checks import check_sources


def test_a_source_that_does_not_parse_is_named_with_its_line() -> None:
    (problem,) = check_sources({"experiment.py": "x = 1\ny = (\n"}, ())
    assert problem.startswith("experiment.py:2 is not valid Python")


def test_an_import_outside_the_environment_names_what_there_is() -> None:
    source = "import json, numpy.linalg\nfrom torch import nn\ndef f():\n    import pandas\n"
    problems = check_sources({"experiment.py": source}, {"numpy"})
    assert [p.split(",")[0] for p in problems] == [
        "experiment.py:2 imports torch",
        "experiment.py:4 imports pandas",
    ]
    assert "available beside the standard library: experiment, numpy" in problems[0]


def test_modules_of_the_folder_and_of_the_change_may_be_imported(tmp_path: Path) -> None:
    (tmp_path / "evaluate.py").write_text("")
    (tmp_path / "pack").mkdir()
    files = {"experiment.py": "import evaluate, pack.x, model\nfrom . import y\n", "model.py": "x = 1\n"}
    assert check_sources(files, (), tmp_path) == []


def test_a_new_file_may_not_hide_a_module(tmp_path: Path) -> None:
    (tmp_path / "plot.py").write_text("")
    for name in ("json.py", "numpy.py", "numpy/__init__.py"):
        (problem,) = check_sources({name: "x = 1\n"}, {"numpy"}, tmp_path)
        assert "would hide the module" in problem
    assert check_sources({"plot.py": "x = 1\n", "notes.md": "("}, {"numpy", "plot"}, tmp_path) == []
