import subprocess
from pathlib import Path

import pytest
from bench import DECLARATION, MEASURE, SCRIPT, PlainSandbox, write_template

from novum.experiment.contract import check_template


def broken(folder: Path, trial_s: float = 10.0) -> dict[str, str]:
    clauses, _ = check_template(folder, PlainSandbox(), trial_s=trial_s)
    return {clause.clause: str(clause) for clause in clauses if not clause.ok}


def test_a_whole_template_passes_its_trial(tmp_path: Path) -> None:
    sandbox = PlainSandbox()
    clauses, notes = check_template(write_template(tmp_path / "line"), sandbox)
    assert [str(clause) for clause in clauses if not clause.ok] == []
    assert len(sandbox.seen) == 2
    assert sandbox.seen[0][0][1:] == ["experiment.py", "--out_dir=out", "--seeds", "0", "1", "2"]
    assert sandbox.seen[1][0][1:] == ["measure.py", "--out_dir=out"]
    assert all(access is not None and access.protected == ("measure.py",) for _, access in sandbox.seen)
    assert any("latex" in note for note in notes)


def test_nothing_runs_without_a_sandbox_or_when_a_clause_is_broken(tmp_path: Path) -> None:
    sandbox = PlainSandbox()
    check_template(write_template(tmp_path / "a"), None)
    check_template(write_template(tmp_path / "b", prompt_json="{"), sandbox)
    assert sandbox.seen == []


@pytest.mark.parametrize(
    ("file", "old", "new", "clause", "told"),
    [
        (
            "experiment_py",
            "\nmain()",
            "\nraise ValueError('bad day')",
            "the script runs in the sandbox",
            "bad day",
        ),
        (
            "experiment_py",
            '"outputs.json"',
            '"results.json"',
            "the script saves the declared outputs",
            "outputs.json",
        ),
        ("measure_py", '"means"', '"mean"', "final_info.json has the contract's shape", 'no "means"'),
        (
            "measure_py",
            '"score"',
            '"points"',
            "final_info.json has the contract's shape",
            "declared metric 'score'",
        ),
        (
            "measure_py",
            "sum(values)",
            "float('nan') * sum(values)",
            "final_info.json has the contract's shape",
            "",
        ),
        (
            "measure_py",
            '"score": values',
            '"score": values[:1]',
            "there is one value for each seed",
            "3 seeds",
        ),
        ("experiment_py", '"step"', '"epoch"', "the series file has step, name and value", "series.jsonl:1"),
        ("experiment_py", '"series.jsonl"', '"curve.jsonl"', "the series file has step, name and value", ""),
    ],
)
def test_each_clause_of_the_trial_is_named(
    tmp_path: Path, file: str, old: str, new: str, clause: str, told: str
) -> None:
    original = SCRIPT if file == "experiment_py" else MEASURE
    assert old in original
    changed = original.replace(old, new)
    if "nan" in new:
        changed = changed.replace('"score": values', '"score": [v * float("nan") for v in values]')
    if old == '"outputs.json"':
        changed = changed.replace("measure.write(params.out_dir)", "")
    found = broken(write_template(tmp_path / "line", **{file: changed}))
    message = next((text for name, text in found.items() if name.startswith(clause)), None)
    assert message is not None, found
    assert told in message


def test_the_line_that_failed_is_named(tmp_path: Path) -> None:
    script = SCRIPT.replace("    return params.gain * x", "    return params.gain / 0")
    text = broken(write_template(tmp_path / "line", experiment_py=script))[
        "the script runs in the sandbox with the quick profile"
    ]
    line = script.splitlines().index("    return params.gain / 0") + 1
    assert text.startswith(f"experiment.py:{line}: ")
    assert "ZeroDivisionError" in text


def test_a_long_run_is_stopped_and_is_no_fault(tmp_path: Path) -> None:
    script = SCRIPT.replace("\nmain()", "\nimport time; time.sleep(30)")
    clauses, notes = check_template(
        write_template(tmp_path / "line", experiment_py=script), PlainSandbox(), trial_s=1.0
    )
    assert all(clause.ok for clause in clauses)
    assert any("did not end" in note for note in notes)


def test_a_run_over_its_own_limit_is_a_fault(tmp_path: Path) -> None:
    script = SCRIPT.replace("\nmain()", "\nimport time; time.sleep(30)")
    folder = write_template(
        tmp_path / "line", experiment_py=script, template_toml=DECLARATION.replace("30.0", "1.0")
    )
    assert "timeout" in broken(folder)["the script runs in the sandbox with the quick profile"]


def test_the_evaluator_sees_the_outputs_and_not_the_runs_own_word(tmp_path: Path) -> None:
    """A forged final_info.json is not what counts: the evaluator writes it anew."""
    forged = SCRIPT.replace(
        "measure.write(params.out_dir)",
        "open(os.path.join(params.out_dir, 'final_info.json'), 'w').write('{\"data\": {\"means\": {}}}')",
    )
    assert broken(write_template(tmp_path / "line", experiment_py=forged)) == {}


def test_the_sandbox_of_these_tests_runs_a_command(tmp_path: Path) -> None:
    from novum.records import Limits

    done = PlainSandbox().run(["true"], tmp_path, Limits())
    assert done.ok
    assert subprocess.run(["true"]).returncode == 0
