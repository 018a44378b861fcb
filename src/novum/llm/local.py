"""The embedded model: llama.cpp in this process (xllamacpp), on the processor.

What was measured and why it is done so (docs/models.md has the numbers):

* Threads are pinned to the cores of this process; one reply at a time takes the cores (`cores.py`); an idle
  model uses none. So a model never works beside an experiment of the same study.
* A reply is streamed in a thread of its own, and the caller waits where Ctrl-C reaches it. The prompt is read in
  small batches, because llama.cpp notices a cancellation only between two of them.
* The HTTP port that llama.cpp opens on loopback gets a random key that nobody knows.
* A seed repeats a text only for the same build, threads and cache state. The event log promises equality.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from novum.errors import MissingTool, ModelError, UsageError
from novum.llm import Capabilities, Reply, Request
from novum.llm.cores import Cores
from novum.llm.stream import Progress, ReplyStream
from novum.records import Usage

_BATCH_TOKENS = 64  # 0.8 s of prompt at most before a cancellation is noticed; costs 8% of a prompt's time
_CACHE_MIB = 1024
_CANCEL_WAIT_S = 0.9
_POLL_S = 0.1


class LocalModel:
    """A GGUF file, loaded at its first question. Thread-safe: questions wait for each other."""

    def __init__(
        self,
        name: str,
        file: Path,
        *,
        context_tokens: int,
        cores: Cores,
        progress: Progress | None = None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`name` is what the settings call it. `warn` gets notices: waiting, slow, stopped in a loop."""
        self._name = name
        self._file = file
        self._context_tokens = context_tokens
        self._cores = cores
        self._progress = progress
        self._warn = warn
        self._server: Any = None
        self._server_mutex = threading.Lock()

    @property
    def name(self) -> str:
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            json_schema=True, grammar=True, prefill=True, small=True, context_tokens=self._context_tokens
        )

    def price(self, usage: Usage) -> float | None:
        """Nothing: it runs here."""
        return 0.0

    def complete(self, request: Request) -> Reply:
        """Answer `request`.

        Raises:
            MissingTool: the file or the runtime is not there.
            AnswerError: the prompt is longer than the context.
            ModelError: llama.cpp refused the request (a bad grammar or schema) or failed.
        """
        body = _body(request)
        with self._cores.held(self._warn):
            started = time.monotonic()
            stream = ReplyStream(self._progress, self._warn)
            self._wait_for(lambda: self._ask(body, stream), stream)
            return stream.reply(self._name, time.monotonic() - started)

    def close(self) -> None:
        self._server = None

    def _ask(self, body: dict[str, Any], stream: ReplyStream) -> None:
        with self._server_mutex:  # an interrupted question may still be loading it
            if self._server is None:
                self._server = _start(self._file, self._context_tokens)
        with stream.errors if "grammar" in body else nullcontext():
            self._server.handle_chat_completions(body, stream.on_chunk)

    @staticmethod
    def _wait_for(work: Callable[[], None], stream: ReplyStream) -> None:
        """Run `work` in a thread; let Ctrl-C cancel it.

        An event is waited for, not the thread: Python 3.11 takes a thread for ended whose `join` was interrupted.
        The thread is not a daemon, so that the process never ends while native code runs.
        """
        done = threading.Event()
        failure: list[Exception] = []

        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - carried to the caller's thread and raised there
                failure.append(error)
            finally:
                done.set()

        threading.Thread(target=run, name="novum-local-model").start()
        try:
            while not done.wait(_POLL_S):
                pass
        except BaseException:
            stream.cancelled = True
            done.wait(_CANCEL_WAIT_S)
            raise
        if failure:
            raise _as_model_error(failure[0])


def _body(request: Request) -> dict[str, Any]:
    if request.json_schema is not None and request.grammar is not None:
        # llama.cpp would ignore the grammar without a word.
        raise UsageError(f"the request {request.step!r} has both a schema and a grammar", "only one can hold")
    if any(part.kind != "text" for message in request.messages for part in message.parts):
        raise UsageError(f"the request {request.step!r} has an image", "the embedded model reads text only")
    body: dict[str, Any] = {
        "messages": [{"role": message.role, "content": message.text} for message in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
        "cache_prompt": True,
        "stream": True,
        "return_progress": True,
        "stream_options": {"include_usage": True},
    }
    if request.json_schema is not None:
        schema = {"name": "answer", "schema": request.json_schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.grammar is not None:
        body["grammar"] = request.grammar
    return body


def _start(file: Path, context_tokens: int) -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        raise MissingTool(
            "the embedded model has no runtime", str(error), 'install it: pip install "novum[local]"'
        ) from error
    if not file.is_file():
        raise MissingTool(
            f"the embedded model's file {file} is not there", "", "get it: novum models pull (1.1 GB, once)"
        )
    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.n_ctx = context_tokens
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = _BATCH_TOKENS
    params.cache_ram_mib = _CACHE_MIB
    params.api_keys = [secrets.token_hex(32)]
    params.endpoint_slots = False
    params.verbosity = -1
    params.warmup = False
    _pin(params.cpuparams)
    _pin(params.cpuparams_batch)
    return xllamacpp.Server(params)


def _pin(threads: Any) -> None:
    """Pin to the cores that this process may use; unpinned threads fell to 0.4 tokens/s beside a busy program."""
    allowed = os.sched_getaffinity(0)
    threads.n_threads = min(len(allowed), 16)
    threads.strict_cpu = True
    threads.cpumask = [core in allowed for core in range(len(threads.cpumask))]
    threads.mask_valid = True


def _as_model_error(error: Exception) -> Exception:
    if isinstance(error, MissingTool):
        return error
    if isinstance(error, ValueError):  # how xllamacpp reports a schema that it cannot compile
        return ModelError("the embedded model refused the request", str(error))
    return ModelError("the embedded model failed", f"{type(error).__name__}: {error}")
