"""The one way out that the installer of packages gets: to the hosts that are named, and to nothing else."""

from __future__ import annotations

import http.server
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandboxes import LIMITS, Run

from novum.errors import NovumError, UsageError
from novum.sandbox import Access, proxy
from novum.sandbox.open import lookup
from novum.sandbox.proxy import Proxy, read_target


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.path} {self.headers['Host']} {self.headers['Connection']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield served.server_port
        served.shutdown()
        thread.join()


CLIENT = """
import socket, sys, urllib.request
port = sys.argv[1]

def say(text):
    line = socket.create_connection(("127.0.0.1", 3128), 5)
    line.sendall(text.encode())
    answer = b""
    while chunk := line.recv(65536):
        answer += chunk
    return answer.partition(b"\\r\\n")[0].decode() + " " + answer.rpartition(b"\\r\\n")[2].decode()

print(urllib.request.urlopen(f"http://localhost:{port}/simple/?x=1", timeout=5).read().decode())
inner = "GET /in HTTP/1.1\\r\\nHost: t\\r\\nConnection: close\\r\\n\\r\\n"
print(say(f"CONNECT localhost:{port} HTTP/1.1\\r\\n\\r\\n{inner}"))
for target in (f"127.0.0.1:{port}", "localhost:22", "example.com:443", f"evil.localhost:{port}"):
    print(say(f"CONNECT {target} HTTP/1.1\\r\\n\\r\\n"))
    print(say(f"GET http://{target}/ HTTP/1.1\\r\\n\\r\\n"))
for text in (f"POST http://localhost:{port}/ HTTP/1.1", "GET file:///etc/passwd HTTP/1.1", "x"):
    print(repr(say(text + "\\r\\n\\r\\n")))
try:
    socket.create_connection(("127.0.0.1", int(port)), 1)
    print("reached the host itself")
except OSError:
    print("no other way")
"""


def test_hosts_that_are_named_can_be_reached_and_no_others(python: Run, server: int) -> None:
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    outcome = python(CLIENT, str(server), hosts=(f"localhost:{server}",))
    assert outcome.ok, outcome.stderr
    lines = outcome.stdout.splitlines()
    assert lines[0] == f"/simple/?x=1 localhost:{server} close"
    assert lines[1] == "HTTP/1.1 200 connected /in t close"
    assert set(lines[2:10]) == {"HTTP/1.1 403 this host is not allowed "}
    assert set(lines[10:13]) == {"' '"}
    assert lines[13] == "no other way"
    deadline = time.monotonic() + 3
    while threading.active_count() > before[0] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before


def test_without_named_hosts_nobody_listens(python: Run) -> None:
    program = "import os, socket; print(os.environ.get('HTTP_PROXY')); socket.create_connection(('127.0.0.1', 3128))"
    outcome = python(program)
    assert outcome.stdout == "None\n"
    assert "Connection refused" in outcome.stderr


@pytest.mark.parametrize("host", ["pypi.org", "pypi.org:", ":443", "PyPI.org:443", "https://pypi.org"])
def test_a_host_without_a_port_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="not a host and a port"):
        Proxy((host,))


@pytest.mark.parametrize("backend", ["landlock", "runsc", "container"])
def test_backends_that_cannot_hold_a_way_out_refuse(backend: str, work: Path) -> None:
    try:
        sandbox = lookup(backend).make()
    except NovumError as error:
        pytest.skip(f"{backend} is not available here: {error.what}")
    with pytest.raises(UsageError, match="alone"):
        sandbox.run(["/bin/true"], work, LIMITS, Access(hosts=("pypi.org:443",)))


def test_a_head_without_an_end_is_given_up() -> None:
    near, far = socket.socketpair()
    with near, far:
        near.sendall(b"x" * (proxy.LONGEST_HEAD + 1))
        with pytest.raises(ValueError, match="no head"):
            read_target(far)


def test_the_proxy_of_the_machine_is_gone_through(server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as outer:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{outer.getsockname()[1]}")
        monkeypatch.delenv("no_proxy", raising=False)
        heads = []

        def answer() -> None:
            line, _ = outer.accept()
            with line:
                heads.append(line.recv(4096))
                line.sendall(b"HTTP/1.1 200 fine\r\n\r\nfirst bytes")

        thread = threading.Thread(target=answer)
        thread.start()
        with proxy.dial(proxy.Target("index.example", 443, b"", tunnel=True)) as line:
            thread.join()
            assert line.recv(100) == b"first bytes"
    assert heads[0].startswith(b"CONNECT index.example:443 HTTP/1.1\r\n")
