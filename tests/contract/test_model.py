"""Every model of novum keeps the contract of the port."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from novum.events import EventLog
from novum.llm import Model
from novum.llm.budget import Budget
from novum.llm.catalogue import cache_folder, find, models_folder
from novum.llm.contract import ModelContract, ask_for
from novum.llm.cores import Cores
from novum.llm.local import LocalModel
from novum.llm.manual import ManualModel
from novum.llm.nonsense import random_model
from novum.llm.recorded import RecordedModel
from novum.llm.replay import ReplayModel
from novum.llm.scripted import from_replies


class TestScripted(ModelContract):
    @pytest.fixture
    def model(self) -> Model:
        return from_replies(
            {"*": "one two three four five six seven eight nine ten"}, dollars_per_million_tokens=2
        )


class TestRandom(ModelContract):
    @pytest.fixture
    def model(self) -> Model:
        return random_model(1)


class TestRecorded(ModelContract):
    @pytest.fixture
    def model(self, tmp_path: Path) -> Iterator[Model]:
        with EventLog(tmp_path / "events.jsonl") as log:
            inner = from_replies({"*": "hello"}, dollars_per_million_tokens=2)
            yield RecordedModel(inner, log, Budget(None, None, None, log))


class TestReplay(ModelContract):
    @pytest.fixture
    def model(self, tmp_path: Path) -> Model:
        path = tmp_path / "events.jsonl"
        steps = ("plain", "usage", "limit", "price", "frozen", "thread_0", "thread_1", "thread_2")
        with EventLog(path) as log:
            recorded = RecordedModel(from_replies({"*": "hello"}), log, Budget(None, None, None, log))
            for step in steps:
                recorded.complete(ask_for(f"contract/{step}"))
        return ReplayModel(path)


class _Person(threading.Thread):
    """Answers every question of a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(0.02):
            for question in self.folder.glob("*.request.md"):
                reply = question.with_name(question.name.replace(".request.md", ".reply.txt"))
                if not reply.exists():
                    reply.write_text("hello", encoding="utf-8")


class TestManual(ModelContract):
    @pytest.fixture
    def model(self, tmp_path: Path) -> Iterator[Model]:
        person = _Person(tmp_path)
        person.start()
        yield ManualModel(tmp_path, poll_s=0.02, quiet_s=0.05, timeout_s=10)
        person.stopped.set()
        person.join()


SMALL = find("smollm2-135m")
SMALL_FILE = models_folder() / SMALL.file
needs_model = pytest.mark.skipif(
    not SMALL_FILE.is_file(), reason="no SmolLM2: run `novum models pull smollm2-135m`"
)


@pytest.fixture(scope="module")
def small_model() -> Iterator[LocalModel]:
    model = LocalModel(
        "local:smollm2-135m", SMALL_FILE, context_tokens=2048, cores=Cores(cache_folder() / "embedded.lock")
    )
    yield model
    model.close()


@pytest.mark.model
@needs_model
class TestLocal(ModelContract):
    @pytest.fixture
    def model(self, small_model: LocalModel) -> Model:
        return small_model
