import json
from pathlib import Path

import pytest
from bench import DECLARATION, SCRIPT, write_template

from novum.errors import TemplateError
from novum.template import Parameter, Template, builtin_templates, load_template, read_template


def broken(folder: Path) -> dict[str, int | None]:
    """The clauses that do not hold, with their lines."""
    return {clause.clause: clause.line for clause in read_template(folder)[1] if not clause.ok}


def test_a_whole_template_is_read(tmp_path: Path) -> None:
    template = load_template(write_template(tmp_path / "line"))
    assert template.name == "line"
    assert template.metric("score") is not None
    function = template.function("slope")
    assert function.file == "experiment.py"
    assert function.signature == "def slope(x, params):"
    assert "return params.gain * x" in function.source
    assert template.seeds("quick") == (0, 1, 2)
    assert template.argument_vector({"gain": 3.0}, "quick", (0, 1)) == ["--gain=3.0", "--seeds", "0", "1"]
    assert template.limits("quick").wall_s == 30.0
    assert template.seed_ideas[0].idea().name == "steeper"
    assert template.config("quick")["gain"].value == 2.0
    assert {"json", "measure", "numpy"} <= template.importable()
    assert "torch" not in template.importable()
    assert template.evaluation_files() == ("measure.py",)


def test_the_record_holds_the_files_byte_for_byte(tmp_path: Path) -> None:
    folder = write_template(tmp_path / "line")
    (folder / "crlf.txt").write_bytes(b"a\r\nb\r\n")
    (folder / "latin.txt").write_bytes(b"caf\xe9")
    (folder / "run_3").mkdir()
    (folder / "run_3" / "stdout.txt").write_text("x")
    again = Template.model_validate_json(load_template(folder).model_dump_json())
    assert again == load_template(folder)
    contents = again.contents()
    assert contents["crlf.txt"] == b"a\r\nb\r\n"
    assert again.content("latin.txt") == b"caf\xe9"
    assert not any(name.startswith("run_3") for name in contents)


def test_a_template_laid_out_again_reads_the_same(tmp_path: Path) -> None:
    template = load_template(write_template(tmp_path / "line"))
    for name, content in template.contents().items():
        target = tmp_path / "again" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    again = load_template(tmp_path / "again", name="line")
    assert again.model_copy(update={"folder": template.folder}) == template


def test_a_link_out_of_the_folder_is_left_out(tmp_path: Path) -> None:
    folder = write_template(tmp_path / "line")
    (tmp_path / "secret").write_text("key")
    (folder / "link.txt").symlink_to(tmp_path / "secret")
    template = load_template(folder)
    assert "link.txt" not in template.contents()
    assert any("symbolic link" in note for note in template.notes)


@pytest.mark.parametrize(
    ("old", "new", "clause"),
    [
        ('title = "A line with noise"', "title =", "template.toml is TOML"),
        ('direction = "maximize"', 'direction = "up"', "template.toml says what the contract allows"),
        ("seeds = 3", "seeds = 0", "template.toml says what the contract allows"),
        ('unit = "points"', 'units = "points"', "template.toml says what the contract allows"),
        ("default = 2.0", "default = 20.0", "template.toml says what the contract allows"),
        ("suggestions = [1.0, 3.0]", "suggestions = [2.0]", "template.toml says what the contract allows"),
        ("default = 2.0", "default = 2.5", "a parameter's default is the script's"),
        ('name = "gain"', 'name = "loss"', "a parameter is an argument of the script"),
        ('name = "slope"', 'name = "slop"', "an editable function exists once, at the top level of its file"),
        ('primary_metric = "score"', 'primary_metric = "scores"', "the primary metric is declared"),
        ('protected = ["measure.py"]', "protected = []", "the evaluator exists and is protected"),
        (
            'editable = ["experiment.py"]',
            'editable = ["x.py"]',
            "every editable file exists inside the template",
        ),
        (
            'protected = ["measure.py"]',
            'protected = ["../m.py"]',
            "every protected file exists inside the template",
        ),
        ('["measure.py"]', '["measure.py", "experiment.py"]', "no file is both editable and protected"),
        ('seeds_argument = "--seeds"', 'seeds_argument = "--n"', "the script takes the seeds"),
        ("config{gain}", "config{gian}", "every \\config{...} in the paper's facts"),
        ('"numpy>=2"', '"numpy; rm -rf /"', "requirements are names with versions"),
        ("wall_s = 30.0", "wall_hours = 1.0", "limits are those that the sandbox knows"),
    ],
)
def test_each_broken_clause_is_named_with_its_file(tmp_path: Path, old: str, new: str, clause: str) -> None:
    assert old in DECLARATION
    folder = write_template(tmp_path / "line", template_toml=DECLARATION.replace(old, new, 1))
    found = broken(folder)
    assert any(name.startswith(clause) for name in found), found
    with pytest.raises(TemplateError) as caught:
        load_template(folder)
    assert clause.split(",")[0] in caught.value.why
    assert "template check" in caught.value.next_step


def test_the_line_of_a_broken_clause_is_the_right_one(tmp_path: Path) -> None:
    text = DECLARATION.replace('direction = "maximize"', 'direction = "up"')
    folder = write_template(tmp_path / "line", template_toml=text)
    line = broken(folder)["template.toml says what the contract allows"]
    assert line is not None
    assert text.splitlines()[line - 1] == 'direction = "up"'


@pytest.mark.parametrize(
    ("file", "text", "clause"),
    [
        ("experiment_py", None, "the script exists"),
        ("experiment_py", "def f(:\n", "the script is Python"),
        ("experiment_py", SCRIPT.replace("out_dir", "output"), "the script takes --out_dir"),
        ("prompt_json", "{", "prompt.json is JSON"),
        ("prompt_json", "[]", "prompt.json has system and task_description"),
        ("seed_ideas_json", '[{"Name": "x"}]', "each seed idea has Name, Title and Experiment"),
        ("references_json", '[{"id": "doi:x"}]', "each reference is a work with id, title and authors"),
    ],
)
def test_broken_files_are_named(tmp_path: Path, file: str, text: str | None, clause: str) -> None:
    assert clause in broken(write_template(tmp_path / "line", **{file: text}))


def test_a_name_that_is_no_template_lists_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="no template 'epidemc'") as caught:
        load_template("epidemc")
    assert "epidemic" in caught.value.next_step


def test_every_template_that_ships_keeps_its_contract() -> None:
    assert "epidemic" in builtin_templates()
    for name in builtin_templates():
        template = load_template(name)
        assert template.evaluate in template.protected
        assert all(m.direction != "none" or m.description for m in template.metrics)
        assert template.profile("quick").seeds >= 3


# -- templates of the first AI Scientist -----------------------------------------------------------------


def old_template(folder: Path) -> Path:
    write_template(
        folder,
        template_toml=None,
        measure_py=None,
        plot_py="",
        experiment_py='import argparse\np = argparse.ArgumentParser()\np.add_argument("--out_dir")\n',
    )
    (folder / "run_0").mkdir()
    info = {"shakespeare_char": {"means": {"val_loss_mean": 1.5, "time_mean": 3.0}, "stderrs": {}}}
    (folder / "run_0" / "final_info.json").write_text(json.dumps(info))
    return folder


def test_a_template_of_the_first_ai_scientist_gets_named_defaults_failures_a34(tmp_path: Path) -> None:
    """Failures A34: community templates had an empty plot.py and no latex folder, and could never give a paper."""
    template = load_template(old_template(tmp_path / "probes"))
    assert not template.declared
    assert [m.name for m in template.metrics] == ["val_loss", "time"]
    assert all(m.self_reported and m.direction == "none" for m in template.metrics)
    assert template.seeds("quick") == ()
    assert template.argument_vector({}, "quick", ()) == []
    assert template.editable == ("experiment.py", "plot.py")
    notes = " ".join(template.notes)
    for missing in ("template.toml", "plot.py", "latex", "evaluator"):
        assert missing in notes


def test_its_metrics_survive_being_laid_out_again(tmp_path: Path) -> None:
    template = load_template(old_template(tmp_path / "probes"))
    assert "run_0/final_info.json" in template.contents()


def test_without_a_baseline_its_metrics_are_unknown(tmp_path: Path) -> None:
    folder = old_template(tmp_path / "probes")
    (folder / "run_0" / "final_info.json").write_text("[1]")
    template = load_template(folder)
    assert template.metrics == ()
    assert any("first baseline run" in note for note in template.notes)


@pytest.mark.parametrize("file", ["template.toml", "experiment.py", "prompt.json", "measure.py"])
def test_text_that_is_not_utf_8_is_a_broken_clause(tmp_path: Path, file: str) -> None:
    """A template.toml in Latin-1 counted as none: it ran with the defaults of another contract, without a word."""
    folder = write_template(tmp_path / "line")
    text = (folder / file).read_text()
    mark = {
        "template.toml": "# café\n",
        "prompt.json": "",
        "experiment.py": "# café\n",
        "measure.py": "# café\n",
    }[file]
    whole = text.replace("careful", "curé") if file == "prompt.json" else f"\n{mark}{text}"
    (folder / file).write_bytes(whole.encode("latin-1"))
    (clause,) = [c for c in read_template(folder)[1] if "UTF-8" in c.clause]
    assert not clause.ok
    assert clause.file == file
    assert "is 0xe9: save the file as UTF-8" in clause.mend
    assert clause.line == (1 if file == "prompt.json" else 2)
    with pytest.raises(TemplateError, match=r"breaks its contract in 1 place"):
        load_template(folder)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1" + "0" * 400])
@pytest.mark.parametrize("kind", ["int", "float"])
def test_a_parameter_takes_finite_numbers_only(value: str, kind: str) -> None:
    """`nan` for a whole number was a crash, and a rate without a maximum took infinity."""
    parameter = Parameter(name="steps", kind=kind, default=1)  # type: ignore[arg-type]
    number = int(value) if value.isdigit() else float(value)
    assert "finite" in parameter.problem(number)
    assert parameter.problem(3) == ""


@pytest.mark.parametrize("text", ["x = " + "9" * 5000, "x = " + "[" * 5000, "x ="])
def test_a_declaration_that_toml_cannot_read_is_a_broken_clause(tmp_path: Path, text: str) -> None:
    assert "template.toml is TOML" in broken(write_template(tmp_path / "line", template_toml=text))


def test_json_that_is_nested_without_end_is_a_broken_clause(tmp_path: Path) -> None:
    assert "prompt.json is JSON" in broken(write_template(tmp_path / "line", prompt_json="[" * 100_000))
