"""Bad input to the experiments: each is one named failure that the model or the user can act on."""

from __future__ import annotations

from pathlib import Path

import pytest

from novum.edits.changes import MAX_REPLY_CHARACTERS
from novum.errors import TemplateError
from novum.template import load_template

from .conftest import BETTER_FIT, EXPERIMENT, FILES, FIT, Lab, MakeLab, change, replacing, run_of, write_files


def refused(lab: Lab, reply: str) -> str:
    """Why a reply to the question for code is not applied."""
    lab.replies = lambda request: reply if request.json_schema is None else None
    lab.run(change())
    assert not lab.events("edit_applied")
    return str(lab.events("edit_refused")[0]["reason"])


def test_a_reply_of_twenty_megabytes_is_refused_unread(lab: Lab) -> None:
    """Bad input: the scripted model cuts at its limit, so the parser is asked itself."""
    from novum.edits import parse_reply
    from novum.errors import EditError

    assert MAX_REPLY_CHARACTERS < 20 << 20
    with pytest.raises(EditError, match="longer than"):
        parse_reply("x" * (20 << 20))


def test_an_edit_outside_the_folder_is_refused(lab: Lab) -> None:
    """Bad input; failures B I 1."""
    assert "outside the folder" in refused(lab, replacing("x", "y", file="../events.jsonl"))


@pytest.mark.parametrize("file", ["evaluate.py", "held_out/points.json", "template.toml", ".git/config"])
def test_an_edit_of_what_is_not_editable_is_refused(lab: Lab, file: str) -> None:
    """Failures B S 4: what measures the result is not the model's to change."""
    why = refused(lab, replacing("error", "no_error", file=file))
    assert "protected" in why or "may not be changed" in why or "hidden" in why or "not in the file" in why


def test_an_edit_through_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    """Bad input: a link in the folder leads nowhere for an edit."""
    from novum.edits import apply_reply
    from novum.errors import EditError

    (tmp_path / "secret").write_text("secret\n")
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "experiment.py").symlink_to(tmp_path / "secret")
    with pytest.raises(EditError, match="symbolic link"):
        apply_reply(replacing("secret", "public"), folder, editable=["experiment.py"])
    assert (tmp_path / "secret").read_text() == "secret\n"


def test_line_ends_of_windows_are_kept(make_lab: MakeLab) -> None:
    """Bad input: a file with CRLF is edited by a reply without, and stays as it is elsewhere."""
    lab = make_lab({"experiment.py": EXPERIMENT.replace("\n", "\r\n")})
    results = lab.run(change())
    assert run_of(results, "run_1").status == "ok"
    changed = (lab.folder.code / "experiment.py").read_bytes()
    assert changed.count(b"\r\n") == changed.count(b"\n")
    assert BETTER_FIT.encode() in changed


def test_a_script_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    """Bad input: a template in another encoding says which file it is."""
    folder = write_files(tmp_path / "latin", FILES)
    (folder / "experiment.py").write_bytes(EXPERIMENT.replace("A model", "Ein Modéll").encode("latin-1"))
    with pytest.raises(TemplateError, match=r"experiment\.py"):
        load_template(folder)


def test_a_folder_of_broken_bytes_beside_the_script_is_no_harm(make_lab: MakeLab, tmp_path: Path) -> None:
    lab = make_lab()
    (Path(lab.template.folder) / "data.bin").write_bytes(bytes(range(256)))
    template = load_template(lab.template.folder)
    assert template.binaries.keys() == {"data.bin"}


def test_an_experiment_that_writes_no_file_is_told_so(lab: Lab) -> None:
    """Bad input; failures A 8."""
    body = "    raise SystemExit(0)"
    lab.replies = lambda request: replacing(FIT, body) if request.json_schema is None else None
    run = lab.run(change()).runs[1]
    assert run.status == "invalid"
    assert "checkpoint.json" in run.reason


def test_what_a_run_leaves_that_is_code_or_no_plain_file_is_not_kept(lab: Lab) -> None:
    """Failures B I 6: what a run leaves is data, and pickles are never opened."""
    body = (
        "    import os\n"
        "    if not (params.out_dir / 'evil.py').exists():\n"
        "        (params.out_dir / 'evil.py').write_text('raise SystemExit')\n"
        "        os.symlink('/etc/passwd', params.out_dir / 'link.json')\n"
        "        os.mkfifo(params.out_dir / 'pipe.json')\n" + BETTER_FIT
    )
    lab.replies = lambda request: replacing(FIT, body) if request.json_schema is None else None
    run = lab.run(change()).runs[1]
    assert run.status == "ok", run.reason + run.outcome.stderr
    kept = {p.name for p in lab.folder.run("run_1").iterdir()}
    assert not kept & {"evil.py", "link.json", "pipe.json"}


def test_line_ends_of_windows_are_kept_by_the_change_of_one_function(make_lab: MakeLab) -> None:
    """Bad input: the whole file was rewritten with other line ends, and the diff was all of it."""
    lab = make_lab({"experiment.py": EXPERIMENT.replace("\n", "\r\n")})
    lab.replies = lambda request: (
        f"```python\ndef fit(params):\n{BETTER_FIT}\n```" if request.json_schema is None else None
    )
    results = lab.run(change(function="fit"))
    assert run_of(results, "run_1").status == "ok"
    changed = (lab.folder.code / "experiment.py").read_bytes()
    assert changed.count(b"\r\n") == changed.count(b"\n")
    assert BETTER_FIT.encode() in changed
    assert "\r" not in lab.told("experiment/run_1/edit").partition("json")[0]
    assert len(lab.events("edit_applied")[0]["diff"].splitlines()) < 15


def test_lines_that_were_found_by_likeness_alone_are_reported(lab: Lab) -> None:
    """The similarity of a match was computed and told nobody."""
    lab.replies = lambda request: (
        replacing("    return [0.0, parms.slope]", BETTER_FIT) if request.json_schema is None else None
    )
    lab.run(change())
    (event,) = lab.events("edit_applied")
    (said,) = event["inexact"]
    assert "similar, similarity 0.9" in said
    assert said.startswith("experiment.py:")


@pytest.mark.parametrize("terms", [400, 1200, 5000])
def test_a_very_long_expression_ends_nothing(lab: Lab, terms: int) -> None:
    """A RecursionError of the comparison with the baseline ended the study."""
    long = " + ".join(["0.0"] * terms)
    lab.replies = lambda request: (
        replacing(FIT, f"    return [{long}, 1.9]") if request.json_schema is None else None
    )
    assert lab.run(change()).runs[0].status == "ok"
    lab.replies = lambda request: (
        f"```python\ndef fit(params):\n    return [{long}, 1.8]\n```" if request.json_schema is None else None
    )
    assert lab.run(change("run_2", function="fit")).runs[0].status == "ok"
