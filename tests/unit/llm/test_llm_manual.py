"""A person as the model."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pydantic import BaseModel

from novum.errors import ModelError
from novum.llm import Message, Request
from novum.llm.manual import ManualModel
from novum.llm.structured import ask


class Plan(BaseModel):
    n: int


def request(step: str = "experiment/plan") -> Request:
    return Request(step=step, messages=(Message.of("system", "Be exact."), Message.of("user", "Plan it.")))


def model(folder: Path, timeout_s: float = 5) -> ManualModel:
    return ManualModel(folder, poll_s=0.02, quiet_s=0.05, timeout_s=timeout_s)


def questions(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.request.md"))


class Person(threading.Thread):
    """Gives these answers to the questions, in order."""

    def __init__(self, folder: Path, *answers: str) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self._answers = answers
        self.read: list[str] = []
        self.start()

    def run(self) -> None:
        for number, answer in enumerate(self._answers, start=1):
            while not (found := list(self._folder.glob(f"{number:04}-*.request.md"))):
                threading.Event().wait(0.01)
            self.read.append(found[0].read_text())
            reply = found[0].name.replace(".request.md", ".reply.txt")
            (self._folder / reply).write_text(answer)


def test_the_question_is_readable_and_complete(tmp_path: Path) -> None:
    person = Person(tmp_path, '{"n": 3}')
    assert ask(model(tmp_path), request(), Plan).value.n == 3
    assert questions(tmp_path) == ["0001-experiment-plan.request.md"]
    for part in ("step: experiment/plan", "Be exact.", "Plan it.", '"n"', "0001-experiment-plan.reply.txt"):
        assert part in person.read[0]


def test_what_is_wrong_stands_in_the_next_question(tmp_path: Path) -> None:
    person = Person(tmp_path, "```\n{'n': \"many\"}\n```", 'Here: {"n": 4}')
    assert ask(model(tmp_path), request(), Plan).value.n == 4
    assert questions(tmp_path)[1] == "0002-experiment-plan-retry-1.request.md"
    assert "not valid" in person.read[1] and "n: " in person.read[1]


def test_an_open_question_keeps_its_number_after_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ModelError, match="no answer"):
            model(tmp_path, timeout_s=0.1).complete(request())
    assert questions(tmp_path) == ["0001-experiment-plan.request.md"]
    (tmp_path / "0001-experiment-plan.reply.txt").write_text("done")
    assert model(tmp_path).complete(request()).text == "done"


def test_an_empty_reply_file_is_not_an_answer_yet(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        model(tmp_path, timeout_s=0.1).complete(request())
    (tmp_path / "0001-experiment-plan.reply.txt").touch()
    with pytest.raises(ModelError, match="no answer"):
        model(tmp_path, timeout_s=0.3).complete(request())


def test_other_files_in_the_folder_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "notes.request.md").write_text("mine")
    Person(tmp_path, "yes")
    assert model(tmp_path).complete(request()).text == "yes"


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot exchange files"):
        model(tmp_path / "file" / "folder").complete(request())
