"""The embedded model, with SmolLM2: what it says means nothing, how it behaves does."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from novum.errors import AnswerError, MissingTool, ModelError, UsageError
from novum.llm import ImagePart, Message, Request
from novum.llm.catalogue import find, models_folder
from novum.llm.cores import Cores
from novum.llm.local import LocalModel
from novum.llm.structured import ask

MODEL = find("smollm2-135m")
FILE = models_folder() / MODEL.file
needs_model = pytest.mark.skipif(
    not FILE.is_file(), reason="no SmolLM2: run `novum models pull smollm2-135m`"
)
pytestmark = [pytest.mark.model, needs_model]


class Told:
    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.progress: list[tuple[int, float]] = []


@pytest.fixture(scope="module")
def told() -> Told:
    return Told()


@pytest.fixture(scope="module")
def model(told: Told, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalModel]:
    opened = LocalModel(
        "local:smollm2-135m",
        FILE,
        context_tokens=1024,
        cores=Cores(tmp_path_factory.mktemp("cores") / "lock"),
        progress=lambda tokens, speed: told.progress.append((tokens, speed)),
        warn=told.warnings.append,
    )
    yield opened
    opened.close()


def request(text: str = "Tell me about bees.", *extra: Message, **fields: object) -> Request:
    messages = (Message.of("system", "You are brief."), Message.of("user", text), *extra)
    return Request.model_validate({"step": "a", "messages": messages, "max_tokens": 24, **fields})


class Idea(BaseModel):
    reasoning: str = Field(max_length=40)
    name: str = Field(pattern=r"^[a-z]{3,8}$")
    score: int = Field(ge=1, le=4)


def test_a_schema_is_obeyed(model: LocalModel) -> None:
    answer = ask(model, request(max_tokens=200, temperature=1.0), Idea, retries=0)
    assert answer.tries == 1 and not answer.repaired
    assert list(json.loads(answer.reply.text)) == ["reasoning", "name", "score"]


def test_a_grammar_is_obeyed(model: LocalModel) -> None:
    text = model.complete(request(grammar='root ::= [a-d]{5} "!"', temperature=1.5)).text
    assert re.fullmatch(r"[a-d]{5}!", text)


def test_a_prefill_is_continued_also_under_a_grammar(model: LocalModel) -> None:
    prefill = Message.of("assistant", "def add(a, b):\n")
    text = model.complete(request("Add.", prefill, grammar='root ::= "    return " [ab] " + " [ab]')).text
    assert re.fullmatch(r"    return [ab] \+ [ab]", text)


def test_max_tokens_is_hard_and_usage_is_exact(model: LocalModel, told: Told) -> None:
    told.progress.clear()
    reply = model.complete(request("Write a very long story about the sea.", max_tokens=10))
    assert reply.finish == "length" and reply.usage.output_tokens == 10 and reply.usage.dollars == 0
    written = [tokens for tokens, _ in told.progress if tokens]
    assert written == sorted(written) and 0 < len(written) <= 10
    assert told.progress[0][0] == 0 and all(speed >= 0 for _, speed in told.progress)


def test_a_shared_beginning_comes_from_the_cache(model: LocalModel) -> None:
    beginning = "The facts: " + " ".join(f"fact {n} is {n * 37 % 101};" for n in range(60))
    first = model.complete(request(f"{beginning} Question one?")).usage
    second = model.complete(request(f"{beginning} Question two?")).usage
    assert second.prompt_tokens == pytest.approx(first.prompt_tokens, abs=3)
    assert second.cached_tokens > 0.9 * second.prompt_tokens > 100


def test_a_loop_is_stopped(model: LocalModel, told: Told) -> None:
    told.warnings.clear()
    reply = model.complete(request(grammar='root ::= ("again and again " )+', max_tokens=900))
    assert reply.usage.output_tokens < 500 and reply.finish == "length"
    assert len(reply.text) < 200 and any("repeated itself" in w for w in told.warnings)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"grammar": "root ::= ["}, ModelError, "failed to parse grammar"),
        ({"json_schema": {"type": "nonesuch"}}, ModelError, "nonesuch"),
        ({"json_schema": {}, "grammar": 'root ::= "a"'}, UsageError, "both"),
        ({"messages": (Message.of("user", "bee " * 2000),)}, AnswerError, "1024"),
    ],
)
def test_what_it_refuses(
    model: LocalModel, capfd: pytest.CaptureFixture[str], fields: dict[str, object], error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        model.complete(request(**fields))
    assert capfd.readouterr() == ("", "")
    assert model.complete(request()).text


def test_an_image_is_refused(model: LocalModel) -> None:
    picture = ImagePart(media_type="image/png", data_base64="AA==")
    with pytest.raises(UsageError, match="image"):
        model.complete(Request(step="a", messages=(Message(role="user", parts=(picture,)),)))


def test_an_idle_model_uses_no_processor(model: LocalModel) -> None:
    model.complete(request())
    before = os.times()
    time.sleep(1.0)
    after = os.times()
    assert after.user + after.system - before.user - before.system < 0.05


def test_its_port_is_closed_to_others(model: LocalModel) -> None:
    import httpx2

    model.complete(request())
    address = model._server.listening_address
    assert address.startswith("http://127.0.0.1:")
    body = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
    for path in ("/v1/chat/completions", "/completion", "/slots", "/props"):
        assert httpx2.post(address + path, json=body).status_code in (401, 404)


def test_a_missing_file_says_how_to_get_it(tmp_path: Path) -> None:
    absent = LocalModel("local:x", tmp_path / "x.gguf", context_tokens=512, cores=Cores(tmp_path / "lock"))
    with pytest.raises(MissingTool, match="novum models pull"):
        absent.complete(request())


def test_a_file_that_is_no_model_is_one_clear_error(tmp_path: Path) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(b"GGUF" + b"\x00" * 4000)
    broken = LocalModel("local:x", file, context_tokens=512, cores=Cores(tmp_path / "lock"))
    with pytest.raises(ModelError, match="embedded model failed"):
        broken.complete(request())


TALKER = """
import sys, time
from pathlib import Path
from novum.llm import Message, Request
from novum.llm.cores import Cores
from novum.llm.local import LocalModel
model = LocalModel("local:x", Path(sys.argv[1]), context_tokens=8192, cores=Cores(Path(sys.argv[2])),
                   progress=lambda tokens, speed: tokens == 5 and print("talking", flush=True))
model.complete(Request(step="w", messages=(Message.of("user", "hi"),), max_tokens=1))
print("loaded", flush=True)
question = Request(step="a", messages=(Message.of("user", sys.argv[3]),), max_tokens=4000, temperature=2.0,
                   grammar="root ::= [a-z ]{900} [a-z ]{900}")
try:
    model.complete(question)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    if sys.argv[4] == "exit":
        sys.exit(130)
    reply = model.complete(Request(step="b", messages=(Message.of("user", "hi"),), max_tokens=2))
    print("again", reply.usage.output_tokens, flush=True)
    sys.exit(130)
"""


@pytest.mark.parametrize("during", ["prompt", "generation"])
@pytest.mark.parametrize("then", ["exit", "again"])
def test_ctrl_c_works_within_a_second(tmp_path: Path, during: str, then: str) -> None:
    text = " ".join(f"word{n}" for n in range(1500)) if during == "prompt" else "Tell a long story."
    command = [sys.executable, "-c", TALKER, str(FILE), str(tmp_path / "lock"), text, then]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        wanted = "loaded\n" if during == "prompt" else "talking\n"
        assert wanted in lines  # reads up to it
        time.sleep(0.3)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert next(lines) == "interrupted\n"
        assert time.monotonic() - started < 1.0
        assert list(lines) == (["again 2\n"] if then == "again" else [])
        assert process.wait(20) == 130  # -11 when the process ended while native code ran
