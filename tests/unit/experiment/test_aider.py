"""`--coder aider`: an installed Aider edits in the sandbox, and its model is the study's, recorded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from novum.errors import BudgetExceeded, MissingTool
from novum.experiment.aider import aider_program
from novum.experiment.relay import QUESTION
from novum.llm import Request

from .conftest import BETTER_FIT, FIT, Lab, MakeLab, change, run_of

FAKE = '''"""Asks its model once, and puts the answer in the place of a line."""
import json, os, socket, sys, urllib.request
assert "--message-file" in sys.argv and sys.argv[-1] == "experiment.py"
message = open("_message.txt").read()
assert "Return a slope of 1.9." in message
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
    raise SystemExit("there is a network")
except OSError:
    pass
body = json.dumps({"model": "novum", "messages": [{"role": "user", "content": message}]}).encode()
url = os.environ["OPENAI_API_BASE"] + "/chat/completions"
request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
answer = json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"]
text = open("experiment.py").read()
open("experiment.py", "w").write(text.replace("FIT", answer))
print("Applied edit to experiment.py; secrets seen:", [k for k in os.environ if "KEY" in k and "OPENAI" not in k])
'''.replace("FIT", FIT)


@pytest.fixture
def aider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of Aider's name that behaves as it does: it asks, and edits the files that it is given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "aider"
    program.write_text(f"#!{sys.executable}\n{FAKE}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return program


@pytest.fixture
def with_aider(make_lab: MakeLab) -> Lab:
    lab = make_lab(coder="aider")
    lab.replies = lambda request: BETTER_FIT if "/aider_" in request.step else None
    return lab


def test_aider_edits_in_the_sandbox_and_its_model_is_the_studys(with_aider: Lab, aider: Path) -> None:
    results = with_aider.run(change())
    assert run_of(results, "run_1").status == "ok"
    assert run_of(results, "run_1").edited
    assert results.comparisons[0].verdict == "better"
    asked = [r for r in with_aider.asked if r.step == "experiment/run_1/edit/aider_1"]
    assert len(asked) == 1
    assert "Return a slope of 1.9." in asked[0].messages[-1].text
    (edit,) = with_aider.events("edit_applied")
    assert BETTER_FIT in edit["files"]["experiment.py"]
    assert not list(with_aider.folder.code.glob("_*"))


def test_a_study_that_is_walked_again_needs_no_aider(with_aider: Lab, aider: Path) -> None:
    """Replay: the record holds what it left."""
    with_aider.run(change())
    before = with_aider.folder.results.read_bytes()
    aider.unlink()
    with_aider.asked.clear()
    with_aider.run(change())
    assert with_aider.folder.results.read_bytes() == before
    assert not any("/aider_" in r.step for r in with_aider.asked)


def test_what_aider_leaves_is_checked_like_any_change(with_aider: Lab, aider: Path) -> None:
    """Failures A 2: no change, no run, whoever makes it."""
    with_aider.replies = lambda request: FIT if "/aider_" in request.step else None
    with_aider.run(change())
    assert not with_aider.events("edit_applied")
    assert "Aider changed nothing" in with_aider.events("edit_refused")[0]["reason"]


def test_a_budget_that_ends_inside_aider_stops_the_study(with_aider: Lab, aider: Path) -> None:
    def reply(request: Request) -> str | None:
        if "/aider_" in request.step:
            raise BudgetExceeded("the budget is spent")
        return None

    with_aider.replies = reply
    with pytest.raises(BudgetExceeded):
        with_aider.run(change())


def test_without_aider_there_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool) as error:
        aider_program()
    assert "aider is not installed" in error.value.text
    assert "--coder aider" in error.value.text


def test_the_relay_stands_alone() -> None:
    """It is copied into the sandbox, where there is no novum."""
    import novum.experiment.capture
    import novum.experiment.relay

    for module in (novum.experiment.relay, novum.experiment.capture):
        text = Path(str(module.__file__)).read_text()
        assert "import novum" not in text
        assert "from novum" not in text
    assert QUESTION.endswith(" ")
