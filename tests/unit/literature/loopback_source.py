"""A loopback HTTP server that answers as told, and the recorded traffic of real services."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

_SHARED = Path(__file__).resolve().parents[3] / "../shared/data"


def data_folder(*parts: str) -> Path:
    """A folder of the test data; the test is skipped where it is absent."""
    folder = Path(os.environ.get("NOVUM_TEST_DATA", _SHARED)).joinpath(*parts)
    if not folder.exists():
        pytest.skip(f"no test data at {folder}; name its folder in NOVUM_TEST_DATA")
    return folder


class Said(NamedTuple):
    """One answer. `cut` sends so many bytes of the body and breaks off; `hang_s` waits before answering."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed
    cut: int | None = None
    hang_s: float = 0.0
    reset: bool = False


class Server(NamedTuple):
    """Where the server listens, and the paths and headers that it was asked with."""

    url: str
    asked: list[str]
    headers: list[dict[str, str]]


@contextmanager
def serving(answer: Callable[[str, int], Said]) -> Iterator[Server]:
    """Serve `answer(path with query, number of the request)` on a free port of the loopback."""
    asked: list[str] = []
    headers: list[dict[str, str]] = []
    stopping = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            headers.append({k.lower(): v for k, v in self.headers.items()})
            said = answer(self.path, len(asked))
            stopping.wait(said.hang_s)
            if said.reset:
                self.connection.close()
                return
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body if said.cut is None else said.body[: said.cut])

        def log_message(self, *_: Any) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            return  # clients that give up are what is tested

    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_port}", asked, headers)
    finally:
        stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def recorded(*parts: str) -> list[tuple[str, int, bytes]]:
    """Address, status and body of each exchange in a recording."""
    yaml = pytest.importorskip("yaml")
    content = yaml.safe_load((data_folder("api", *parts[:-1]) / parts[-1]).read_text(encoding="utf-8"))
    exchanges = []
    for exchange in content["interactions"]:
        response = exchange["response"]
        status = response.get("status_code") or response["status"]["code"]
        body = response.get("content") or response["body"].get("string") or ""
        raw = body if isinstance(body, bytes) else body.encode()
        if raw[:2] == b"\x1f\x8b":
            import gzip

            raw = gzip.decompress(raw)
        exchanges.append((exchange["request"]["uri"], int(status), raw))
    return exchanges


def as_json(value: object) -> bytes:
    """A JSON body."""
    return json.dumps(value).encode()
