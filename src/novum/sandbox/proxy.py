"""The one way out that a run can be given: a proxy to hosts that are named, and to nothing else.

It listens inside the sandbox's network, on a socket that the launcher made there and handed out, and dials from here.
Covered: names and ports that were not allowed, other schemes, addresses in place of names. Not covered: what an
allowed host does with what it is told, and another site behind the same host that answers to a name within TLS.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import urllib.request
from typing import NamedTuple
from urllib.parse import urlsplit

from novum.errors import UsageError

PORT = 3128
ADDRESS = f"http://127.0.0.1:{PORT}"
ENVIRONMENT = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), ADDRESS)
LONGEST_HEAD = 16 << 10
DIAL_S = 30.0
IDLE_S = 120.0
CHUNK = 1 << 16


class Target(NamedTuple):
    """Where a client wants to go, and what must be sent there first."""

    host: str
    port: int
    opening: bytes
    tunnel: bool

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"


class Proxy:
    """Serves one run, in threads of its own, until it is closed."""

    def __init__(self, hosts: tuple[str, ...]) -> None:
        """`hosts` are `name:port`, in lower case.

        Raises:
            UsageError: one of them is not of that form.
        """
        for host in hosts:
            name, _, port = host.rpartition(":")
            if not name or not port.isdigit() or host != host.lower():
                raise UsageError(f"{host!r} is not a host and a port", next_step="write it like pypi.org:443")
        self._allowed = frozenset(hosts)
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self.refused: set[str] = set()
        """Hosts that were asked for in vain."""

    def serve(self, listener: int) -> None:
        """Answer on that listening socket from now on."""
        self._listener = socket.socket(fileno=listener)
        self._listener.setblocking(True)
        threading.Thread(target=self._accept, name="novum-proxy", daemon=True).start()

    def close(self) -> None:
        """End all connections."""
        for line in (self._listener, *self._open.copy()):
            if line:
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
                line.close()
        self._listener = None

    def _accept(self) -> None:
        listener = self._listener
        while listener:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), name="novum-proxy", daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        self._open.add(client)
        try:
            with client:
                client.settimeout(IDLE_S)
                self._answer(client)
        except (OSError, ValueError):
            return
        finally:
            self._open.discard(client)

    def _answer(self, client: socket.socket) -> None:
        target = read_target(client)
        if target.name not in self._allowed:
            self.refused.add(target.name)
            client.sendall(
                b"HTTP/1.1 403 this host is not allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            return
        try:
            server = dial(target)
        except OSError:
            client.sendall(
                b"HTTP/1.1 502 cannot be reached\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            return
        with server:
            self._open.add(server)
            try:
                if target.tunnel:
                    client.sendall(b"HTTP/1.1 200 connected\r\n\r\n")
                server.sendall(target.opening)
                relay(client, server)
            finally:
                self._open.discard(server)


def read_target(client: socket.socket) -> Target:
    """Read the head of a request.

    Raises:
        ValueError: it is none that a proxy understands.
    """
    head = b""
    while b"\r\n\r\n" not in head:
        chunk = client.recv(CHUNK)
        head += chunk
        if not chunk or len(head) > LONGEST_HEAD:
            raise ValueError("no head of a request")
    first, _, rest = head.partition(b"\r\n")
    method, address, version = first.decode("ascii").split(" ")
    if method == "CONNECT":
        name, _, port = address.rpartition(":")
        return Target(name.lower(), int(port), head.partition(b"\r\n\r\n")[2], tunnel=True)
    url = urlsplit(address)
    if url.scheme != "http" or not url.hostname or method not in ("GET", "HEAD"):
        raise ValueError("not a request that a proxy passes on")
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = [line for line in rest.partition(b"\r\n\r\n")[0].split(b"\r\n") if not _is_of_the_hop(line)]
    opening = (
        f"{method} {path} {version}\r\nConnection: close\r\n".encode() + b"\r\n".join(lines) + b"\r\n\r\n"
    )
    return Target(url.hostname, url.port or 80, opening, tunnel=False)


def _is_of_the_hop(line: bytes) -> bool:
    return line.split(b":")[0].strip().lower() in (b"connection", b"proxy-connection", b"keep-alive")


def dial(target: Target) -> socket.socket:
    """A connection to the target, through the proxy that this machine itself must use, where it must.

    Raises:
        OSError: there is none to be had.
    """
    outer = urllib.request.getproxies().get("https" if target.tunnel else "http", "")
    if not outer or urllib.request.proxy_bypass(target.host) or not target.tunnel:
        return socket.create_connection((target.host, target.port), DIAL_S)
    via = urlsplit(outer if "//" in outer else f"//{outer}")
    line = socket.create_connection((via.hostname or "", via.port or 3128), DIAL_S)
    line.sendall(f"CONNECT {target.name} HTTP/1.1\r\nHost: {target.name}\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < LONGEST_HEAD:
        chunk = line.recv(1)
        if not chunk:
            break
        answer += chunk
    if answer.split(b" ")[1:2] != [b"200"]:
        line.close()
        raise OSError(f"the machine's own proxy refused {target.name}")
    return line


def relay(one: socket.socket, other: socket.socket) -> None:
    """Pass on what either says until both have nothing more to say, or are silent for long."""
    to = {one: other, other: one}
    while to:
        ready, _, _ = select.select([*to], [], [], IDLE_S)
        if not ready:
            return
        for source in ready:
            chunk = source.recv(CHUNK)
            if chunk:
                to[source].sendall(chunk)
            else:
                with contextlib.suppress(OSError):
                    to.pop(source).shutdown(socket.SHUT_WR)
