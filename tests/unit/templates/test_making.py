import subprocess
import zipfile
from pathlib import Path

import pytest
from bench import DECLARATION, SCRIPT, PlainSandbox, write_template

from novum.errors import MissingTool, TemplateError
from novum.experiment.baseline import measure_baseline
from novum.experiment.contract import check_template
from novum.experiment.installing import install, package_index
from novum.sandbox.open import lookup
from novum.template import Template, load_template
from novum.template.installing import environment_folder, importable_modules, template_python, unmet
from novum.template.making import adopt, new_template


def test_a_new_template_keeps_its_contract(tmp_path: Path) -> None:
    folder = new_template(tmp_path / "mine")
    clauses, _ = check_template(folder, PlainSandbox())
    assert [str(clause) for clause in clauses if not clause.ok] == []


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(TemplateError, match="not empty"):
        new_template(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


TRAIN = """
import argparse
p = argparse.ArgumentParser()
p.add_argument("--learning-rate", type=float, default=0.1)
p.add_argument("--epochs", type=int, default=1)
p.add_argument("--optimizer", choices=["sgd", "adam"], default="sgd")
p.add_argument("--resume", action="store_true")
p.add_argument("--data", default="data/")
p.add_argument("--seeds", type=int, nargs="+", default=[0])
"""


def test_a_script_is_adopted_and_told_what_is_missing(tmp_path: Path) -> None:
    source = tmp_path / "train.py"
    source.write_text(TRAIN)
    adopted = adopt(source, tmp_path / "template")
    assert adopted.parameters == ("learning_rate", "epochs", "optimizer")
    assert [clause.clause for clause in adopted.to_do] == [
        "the script takes --out_dir",
        "metrics are declared, with unit and direction",
    ]
    assert source.read_text() == TRAIN


def test_what_was_missing_can_be_said_and_flags_keep_their_spelling(tmp_path: Path) -> None:
    source = tmp_path / "train.py"
    source.write_text(TRAIN + 'p.add_argument("--out_dir")\n')
    folder = adopt(source, tmp_path / "template").folder
    declaration = folder / "template.toml"
    metric = '\n[[metrics]]\nname = "loss"\ndirection = "minimize"\n'
    declaration.write_text(declaration.read_text() + metric)
    template = load_template(folder)
    assert template.argument_vector({"learning_rate": 0.2}, "quick", ()) == ["--learning-rate=0.2"]
    optimizer = template.parameter("optimizer")
    assert optimizer is not None
    assert optimizer.suggestions == ("adam",)


def test_the_script_of_a_folder_must_be_evident(tmp_path: Path) -> None:
    source = tmp_path / "repo"
    source.mkdir()
    for name in ("a.py", "b.py"):
        (source / name).write_text("")
    with pytest.raises(TemplateError, match="cannot tell which script") as caught:
        adopt(source, tmp_path / "t")
    assert "a.py, b.py" in caught.value.why
    assert "--script" in caught.value.next_step


# -- baseline --------------------------------------------------------------------------------------------


def test_a_baseline_tells_the_noise_of_its_seeds(tmp_path: Path) -> None:
    template = load_template(write_template(tmp_path / "line"))
    measured = measure_baseline(template, PlainSandbox(), "quick", seeds=4)
    (metric,) = measured.metrics
    assert (metric.metric, metric.unit, metric.n, len(metric.values)) == ("score", "points", 4, 4)
    assert metric.noise_floor is not None
    assert metric.noise_floor > 0
    assert measured.seeds == (0, 1, 2, 3)


def test_a_baseline_that_fails_is_named_with_its_error(tmp_path: Path) -> None:
    script = SCRIPT.replace("\nmain()", "\nraise ValueError('no data')")
    template = load_template(write_template(tmp_path / "line", experiment_py=script))
    with pytest.raises(TemplateError, match="does not run") as caught:
        measure_baseline(template, PlainSandbox(), "quick")
    assert "no data" in caught.value.why


# -- environments ----------------------------------------------------------------------------------------


def requiring(folder: Path, *requirements: str) -> Template:
    text = DECLARATION.replace('["numpy>=2"]', str(list(requirements)).replace("'", '"'))
    return load_template(write_template(folder, template_toml=text))


def write_wheel(folder: Path) -> None:
    info = "novumprobe-1.0.dist-info"
    with zipfile.ZipFile(folder / "novumprobe-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("novumprobe/__init__.py", "VALUE = 7\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: novumprobe\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "novumprobe/__init__.py,,\n")


def test_requirements_that_are_met_need_no_environment(tmp_path: Path) -> None:
    assert unmet(["numpy>=1"]) == []
    assert unmet(["numpy>=999", "novumprobe", "not a requirement"]) == [
        "numpy>=999",
        "novumprobe",
        "not a requirement",
    ]


def test_an_environment_that_is_not_there_says_how_to_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOVUM_ENVIRONMENTS", str(tmp_path / "environments"))
    with pytest.raises(MissingTool, match="needs novumprobe") as caught:
        template_python(requiring(tmp_path / "line", "novumprobe==1.0"))
    assert "novum template install line" in caught.value.next_step


@pytest.mark.parametrize("backend", ["namespaces", "bubblewrap"])
def test_an_environment_is_made_whole_or_not_at_all(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOVUM_ENVIRONMENTS", str(tmp_path / "environments"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    template = requiring(tmp_path / "line", "novumprobe==1.0")
    sandbox = lookup(backend).make()
    tmp_path.chmod(0o755)  # under root the installer is another user
    with pytest.raises(MissingTool, match="cannot be made"):
        install(template, sandbox, tell=lambda text: None)
    assert list((tmp_path / "environments").iterdir()) == []
    write_wheel(tmp_path)
    told: list[str] = []
    python = install(template, sandbox, tell=told.append)
    assert python == template_python(template)
    assert "novumprobe" in told[0]
    assert "novumprobe" in importable_modules(template)
    assert "numpy" not in importable_modules(template)
    assert install(template, sandbox, tell=told.append) == python
    show = "import novumprobe, pip; print(novumprobe.VALUE)"
    done = subprocess.run([python, "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout == "7\n"
    assert len(told) == 1
    assert environment_folder(template) != environment_folder(
        requiring(tmp_path / "other", "novumprobe==1.1")
    )


@pytest.mark.parametrize(
    ("settings", "hosts"),
    [
        ({}, ("pypi.org:443", "files.pythonhosted.org:443")),
        ({"no-index": "1"}, ()),
        ({"index-url": "https://user:key@packages.example:8443/simple"}, ("packages.example:8443",)),
        (
            {
                "index-url": "http://localhost:3141/root",
                "extra-index-url": "https://download.pytorch.org/whl/cpu",
            },
            ("localhost:3141", "download.pytorch.org:443", "download-r2.pytorch.org:443"),
        ),
    ],
)
def test_the_installer_reaches_the_package_index_alone(
    settings: dict[str, str], hosts: tuple[str, ...]
) -> None:
    assert package_index(settings).hosts == hosts


def test_the_installer_sees_local_indexes_and_no_other_settings(tmp_path: Path) -> None:
    (tmp_path / "index" / "simple").mkdir(parents=True)
    (tmp_path / "wheels").mkdir()
    index = package_index(
        {
            "extra-index-url": f"file://{tmp_path}/index/simple",
            "find-links": f"{tmp_path}/wheels",
            "proxy": "x",
        }
    )
    assert set(index.readonly) == {tmp_path / "index", tmp_path / "wheels"}
    assert "PIP_PROXY" not in index.variables
