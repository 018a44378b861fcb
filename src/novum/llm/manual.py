"""A person, a chat window or another program as the model: questions and answers are files in a folder.

`0007-experiment-plan.request.md` holds the question; the answer goes into `0007-experiment-plan.reply.txt`. A
question that is still open when novum is started again keeps its number. What is wrong with an answer is told
in the next question.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

from novum.errors import ModelError
from novum.llm import Capabilities, Reply, Request
from novum.records import Usage

_CHARS_PER_TOKEN = 4


class ManualModel:
    """Writes each question to a file and waits for the answer's file. Thread-safe."""

    def __init__(
        self,
        folder: Path,
        *,
        warn: Callable[[str], None] = lambda _: None,
        poll_s: float = 0.5,
        quiet_s: float = 1.0,
        timeout_s: float | None = None,
    ) -> None:
        """A reply counts when its file was not changed for `quiet_s`: an editor may still be writing it.

        `timeout_s` None waits for as long as it takes; Ctrl-C ends the wait and loses nothing.
        """
        self._folder = folder
        self._warn = warn
        self._poll_s = poll_s
        self._quiet_s = quiet_s
        self._timeout_s = timeout_s
        self._mutex = threading.Lock()

    @property
    def name(self) -> str:
        return f"manual:{self._folder}"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(json_schema=True, context_tokens=200_000)

    def complete(self, request: Request) -> Reply:
        """Ask, wait, and read the answer.

        Raises:
            ModelError: the folder cannot be written, or no answer came within the time limit.
        """
        started = time.monotonic()
        try:
            with self._mutex:
                question = self._question(request)
            text = self._wait(question, request.step)
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(f"cannot exchange files in {self._folder}", str(error)) from error
        prompt = sum(len(message.text) for message in request.messages)
        usage = Usage(
            prompt_tokens=prompt // _CHARS_PER_TOKEN,
            output_tokens=len(text) // _CHARS_PER_TOKEN,
            seconds=time.monotonic() - started,
            dollars=0.0,
            calls=1,
        )
        return Reply(text=text, model=self.name, usage=usage)

    def price(self, usage: Usage) -> float | None:
        """Nothing that novum could know of: a subscription is paid elsewhere."""
        return 0.0

    def close(self) -> None:
        """Nothing to free."""

    def _question(self, request: Request) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        mark = f"request: {request.hash}"
        existing = sorted(self._folder.glob("*.request.md"))
        for path in existing:
            head = path.read_text(encoding="utf-8").splitlines()[:4]
            if mark in head and f"step: {request.step}" in head:
                return path
        numbers = [int(match[1]) for path in existing if (match := re.match(r"(\d+)-", path.name))]
        number = max(numbers, default=0) + 1
        slug = re.sub(r"[^A-Za-z0-9]+", "-", request.step).strip("-")[:80]
        path = self._folder / f"{number:04}-{slug}.request.md"
        partial = path.with_suffix(".partial")
        partial.write_text(_document(request, mark, _reply_path(path).name), encoding="utf-8")
        partial.rename(path)
        return path

    def _wait(self, question: Path, step: str) -> str:
        reply = _reply_path(question)
        if not reply.exists():
            self._warn(f"step {step}: answer {question} in {reply.name}")
        deadline = None if self._timeout_s is None else time.monotonic() + self._timeout_s
        while not _settled(reply, self._quiet_s):
            if deadline is not None and time.monotonic() > deadline:
                raise ModelError(
                    f"no answer to {question.name} within {self._timeout_s:g} s",
                    f"{reply} is missing or empty",
                    "write it, then run `novum resume`",
                )
            time.sleep(self._poll_s)
        return reply.read_text(encoding="utf-8")


def _reply_path(question: Path) -> Path:
    return question.with_name(question.name.removesuffix(".request.md") + ".reply.txt")


def _settled(reply: Path, quiet_s: float) -> bool:
    try:
        status = reply.stat()
    except FileNotFoundError:
        return False
    return status.st_size > 0 and time.time() - status.st_mtime >= quiet_s


def _document(request: Request, mark: str, reply_name: str) -> str:
    parts = [
        f"step: {request.step}\n{mark}\nreply: write your answer, and nothing else, to {reply_name}\n"
        f"limit: about {request.max_tokens * 3 // 4} words"
    ]
    titles = {"system": "Instructions", "user": "Question", "assistant": "Your answer so far"}
    parts += [f"# {titles[message.role]}\n\n{message.text}" for message in request.messages]
    if request.json_schema is not None:
        schema = json.dumps(request.json_schema, indent=2, ensure_ascii=False)
        parts.append(f"# Form of the answer\n\nOne JSON value that fits this schema:\n\n{schema}")
    return "\n\n".join(parts) + "\n"
