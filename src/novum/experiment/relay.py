"""Stand in for a model's server inside the sandbox, run a command that asks it, and pass the questions on.

    python relay.py REPLIES COMMAND...

Each question goes out as a line of standard output, and its answer is awaited as a file of the folder REPLIES, which
is read-only here. What the command says goes to standard error. This file is copied into the sandbox and stands
alone: it imports nothing of novum.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

QUESTION = "novum-question "
WAIT_S = 1800.0
_numbers = itertools.count(1)
_speaking = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """POST /v1/chat/completions, as OpenAI's interface has it."""

    replies = Path()

    def do_POST(self) -> None:
        """Pass the question on and wait for its answer."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = next(_numbers)
        with _speaking:
            question = {"number": number, "messages": body.get("messages", [])}
            sys.stdout.write(f"{QUESTION}{json.dumps(question)}\n")
            sys.stdout.flush()
        answer = self._awaited(self.replies / f"{number}.json")
        payload = json.dumps(answer).encode()
        self.send_response(200 if "choices" in answer else 500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _awaited(self, path: Path) -> dict[str, object]:
        deadline = time.monotonic() + WAIT_S
        while not path.exists():
            if time.monotonic() > deadline:
                return {"error": {"message": "no answer came"}}
            time.sleep(0.05)
        found: dict[str, object] = json.loads(path.read_text())
        return found

    def log_message(self, *_: object) -> None:
        """Say nothing of each question."""


def main() -> int:
    """Serve until the command has ended; returns its exit code."""
    Handler.replies = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}/v1"
    environment = {**os.environ, "OPENAI_API_BASE": base, "OPENAI_BASE_URL": base, "OPENAI_API_KEY": "none"}
    return subprocess.run(sys.argv[2:], env=environment, stdout=sys.stderr, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
