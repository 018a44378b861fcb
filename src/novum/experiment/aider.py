"""Edits by an installed Aider in place of the coder of this package: `--coder aider`.

Aider runs in the sandbox, without network, keys or git. What it asks of its model is passed out, answered by the
study's model and recorded as any other call; so budget, limits and the record hold. What it leaves in the editable
files is checked, committed and judged like every other change. The event of an accepted change holds the files, and a
study that is walked again takes them from there.
"""

from __future__ import annotations

import json
import queue
import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novum.errors import EditError, MissingTool, UsageError
from novum.experiment.coder import Coder, Made
from novum.experiment.relay import QUESTION
from novum.llm import Message, Request
from novum.records import Idea, Limits, Outcome, PlannedRun
from novum.sandbox import Access
from novum.sandbox.harvest import read_bytes
from novum.sandbox.policy import python_paths
from novum.tools import Tools

OPTIONS = (
    *("--model", "openai/novum", "--edit-format", "diff", "--map-tokens", "0"),
    *(
        "--no-git",
        "--yes-always",
        "--no-stream",
        "--no-pretty",
        "--no-auto-lint",
        "--no-suggest-shell-commands",
    ),
    *("--no-check-update", "--no-show-model-warnings", "--no-show-release-notes", "--no-analytics"),
)
LIMITS = Limits(wall_s=1800.0, memory_bytes=1 << 30, disk_bytes=256 << 20, tasks=128, output_bytes=64 << 20)
MOST_QUESTIONS = 12
"""Times that Aider may ask its model for one change."""
_RELAY = Path(__file__).with_name("relay.py")
_MAX_TOKENS = 4000


def aider_program() -> Path:
    """Where Aider is installed.

    Raises:
        MissingTool: it is not on the PATH.
    """
    found = shutil.which("aider")
    if found is None:
        raise MissingTool(
            "aider is not installed",
            "the coder `aider` was asked for, and no such program is on the PATH",
            "install it (`pipx install aider-chat`), or leave out `--coder aider`",
        )
    return Path(found).resolve()


@dataclass(frozen=True)
class AiderCoder(Coder):
    """Makes the edits of one study with Aider."""

    def _made(self, idea: Idea, run: PlannedRun, step: str, trouble: str) -> Made:
        earlier = self.tools.log.last("edit_applied", step=step)
        if earlier is not None and "files" in earlier.data:
            return _made(earlier.data["files"])
        refused = self.tools.log.last("edit_refused", step=step)
        if refused is not None:
            raise EditError(f"{step}: Aider gave no change that can be accepted", str(refused.data["reason"]))
        names = [name for name in self.tools.template.editable if name in self.tools.template.texts]
        with tempfile.TemporaryDirectory(prefix="novum-aider-") as scratch:
            work, replies = Path(scratch) / "work", Path(scratch) / "replies"
            self._lay_out(work, idea, run, trouble)
            replies.mkdir(mode=0o755)
            Path(scratch).chmod(0o755)
            outcome = self._run(work, replies, names, step)
            files = _changed(work, self.workspace.folder, names)
        problems = self._problems(files) if files else [f"Aider changed nothing ({outcome.message})"]
        if problems:
            self.tools.log.note("edit_refused", step=step, run=run.name, reason="; ".join(problems))
            raise EditError(f"{step}: Aider gave no change that can be accepted", "; ".join(problems))
        return _made(files)

    def _lay_out(self, work: Path, idea: Idea, run: PlannedRun, trouble: str) -> None:
        shutil.copytree(self.workspace.folder, work, ignore=shutil.ignore_patterns(".git"))
        shutil.copyfile(_RELAY, work / "_relay.py")
        inputs = {
            "template": self.tools.template,
            "idea": idea,
            "run": run,
            "extra": self.extra,
            "trouble": trouble,
        }
        prompt = self.tools.prompts.render("experiment_aider", inputs)
        (work / "_message.txt").write_text(prompt.user, encoding="utf-8")

    def _run(self, work: Path, replies: Path, names: list[str], step: str) -> Outcome:
        program = aider_program()
        python = _interpreter(program)
        protected = tuple(p for p in self.tools.template.protected if (work / p).exists())
        access = Access(
            readonly=(*python_paths(python), program, replies),
            protected=(*protected, "_relay.py", "_message.txt"),
            environment={"PYTHONUTF8": "1"},
        )
        command = [str(python), "_relay.py", str(replies), str(python), str(program), *OPTIONS]
        with _Answering(self.tools, replies, step) as answering:
            return self.tools.sandbox.run(
                [*command, "--message-file", "_message.txt", *names], work, LIMITS, access, answering.heard
            )


class _Answering:
    """Answers the questions that come out of the sandbox, one after another, in a thread of its own."""

    def __init__(self, tools: Tools, replies: Path, step: str) -> None:
        self._tools, self._replies, self._step = tools, replies, step
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._rest = b""
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._serve, name="novum-aider")

    def __enter__(self) -> _Answering:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.put(None)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def heard(self, stream: str, data: bytes) -> None:
        """Take what the sandbox says."""
        if stream == "stdout":
            *whole, self._rest = (self._rest + data).split(b"\n")
            for line in whole:
                self._lines.put(line)

    def _serve(self) -> None:
        while (line := self._lines.get()) is not None:
            if line.startswith(QUESTION.encode()):
                self._answer(line.removeprefix(QUESTION.encode()))

    def _answer(self, line: bytes) -> None:
        try:
            question = json.loads(line)
            number = int(question["number"])
        except (ValueError, TypeError, KeyError):
            return  # whatever is in the sandbox can say anything
        try:
            answer: dict[str, Any] = self._completed(number, question.get("messages"))
        except Exception as error:  # noqa: BLE001 - the end of a thread: it is raised where the study waits
            self._failure = self._failure or error
            answer = {"error": {"message": "the study's model gave no answer"}}
        partial = self._replies / f".{number}.partial"
        partial.write_text(json.dumps(answer), encoding="utf-8")
        partial.chmod(0o644)
        partial.rename(self._replies / f"{number}.json")

    def _completed(self, number: int, messages: Any) -> dict[str, Any]:
        if self._failure is not None or number > MOST_QUESTIONS:
            return {"error": {"message": "no more questions are answered"}}
        model = self._tools.models["code"]
        request = Request(
            step=f"{self._step}/aider_{number}",
            messages=_messages(messages),
            max_tokens=_MAX_TOKENS,
            temperature=0.0,
            seed=self._tools.seed,
        )
        reply = model.complete(request)
        message = {"role": "assistant", "content": reply.text}
        usage = {"prompt_tokens": reply.usage.prompt_tokens, "completion_tokens": reply.usage.output_tokens}
        return {
            "id": str(number),
            "object": "chat.completion",
            "created": 0,
            "model": "novum",
            "choices": [{"index": 0, "message": message, "finish_reason": reply.finish}],
            "usage": usage | {"total_tokens": sum(usage.values())},
        }


def _messages(given: Any) -> tuple[Message, ...]:
    """The turns of a question; parts that are no text are left out."""
    turns = []
    for turn in given if isinstance(given, list) else []:
        content = turn.get("content", "")
        if isinstance(content, list):
            content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
        role = turn.get("role", "user")
        turns.append(Message.of(role if role in ("system", "assistant") else "user", str(content)))
    return tuple(turns) or (Message.of("user", ""),)


def _made(files: Mapping[str, str]) -> Made:
    return Made(files, {"files": dict(files)})


def _changed(work: Path, folder: Path, names: list[str]) -> dict[str, str]:
    """The editable files that differ now from those in `folder`."""
    files = {}
    for name in names:
        try:
            text = read_bytes(work / name).decode()
        except (UsageError, UnicodeDecodeError) as error:
            raise EditError(f"Aider left {name} unreadable", str(error)[:200]) from error
        if text.encode() != (folder / name).read_bytes():
            files[name] = text
    return files


def _interpreter(program: Path) -> Path:
    """The Python that a script's first line names.

    Raises:
        MissingTool: it names none.
    """
    first = program.read_bytes().split(b"\n", 1)[0].decode(errors="replace")
    python = Path(first.removeprefix("#!").strip().split(" ")[0])
    if not first.startswith("#!") or "python" not in python.name or not python.exists():
        raise MissingTool(f"{program} is no Python script", first[:100], "install Aider with pipx or pip")
    return python
