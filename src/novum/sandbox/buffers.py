"""What the sockets of one network namespace hold in the kernel: memory that belongs to no process.

Asked of the kernel (sock_diag(7)) over a netlink socket that was opened inside. Data whose sender has closed is
counted where it waits, else where it was charged; both are added, so the sum errs upwards, by a factor of two at most.
A socket that is neither bound nor connected is in no list: it counts with the most that its filter can take.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import NamedTuple

_BY_FAMILY, _DONE, _ERROR = 20, 3, 2
_REQUEST_DUMP = 0x301
_LIVE_STATES = 0xFFFFFFFF & ~(1 << 3 | 1 << 6 | 1 << 12)
"""Without those that are no whole sockets: half open ones, and those that only wait for stray packets."""
_ALL_PROTOCOLS = 0xFF
_UNIX_SHOW, _NETLINK_SHOW = 0x10 | 0x20, 0x1
_UNIX_QUEUE, _UNIX_MEMORY, _INET_MEMORY, _NETLINK_MEMORY = 4, 5, 7, 0
_UNIX_MESSAGE, _INET_MESSAGE, _NETLINK_MESSAGE = 16, 72, 28
"""Bytes of an answer before its attributes."""
_RECEIVED, _SENT, _QUEUED, _OPTIONS = 0, 2, 5, 6
"""Places in the kernel's array of what a socket's memory is used for."""
_COPIES = 3
"""A filter is kept as it was given, as it was checked and as it was compiled; its owner is charged for one."""
UNLISTED_BYTES = 128 << 10
"""The kernel's limit on filters and options of one socket."""
_CHUNK = 1 << 16


class Held(NamedTuple):
    """Memory of the sockets in a list, and how many there are."""

    bytes: int = 0
    sockets: int = 0

    def plus(self, other: Held) -> Held:
        """Both together."""
        return Held(self.bytes + other.bytes, self.sockets + other.sockets)


def held_locally(net: int) -> Held:
    """By Unix sockets; `net` is the netlink socket's descriptor. Nothing when the kernel cannot say."""
    return _with(net, _unix)


def held_slowly(net: int) -> Held:
    """By TCP, UDP and netlink. It costs 1 ms, for the kernel goes through the tables of the whole machine."""
    return _with(net, _ip).plus(_with(net, _netlink))


def unlisted(sockstat: str, listed: int) -> int:
    """Bytes that sockets in no list may hold, from the text of /proc/PID/net/sockstat and the number of the others."""
    words = sockstat.split()
    used = int(words[2]) if words[:2] == ["sockets:", "used"] else 0
    return max(used - listed, 0) * UNLISTED_BYTES


def _with(net: int, count: Callable[[socket.socket], Held]) -> Held:
    line = socket.socket(fileno=net)
    try:
        return count(line)
    except OSError:
        return Held()
    finally:
        line.detach()


def _unix(line: socket.socket) -> Held:
    request = struct.pack("=BBHIII2I", socket.AF_UNIX, 0, 0, _LIVE_STATES, 0, _UNIX_SHOW, 0, 0)
    total = sockets = 0
    for attributes in _answers(line, request, _UNIX_MESSAGE):
        sockets += 1
        memory = _memory(attributes.get(_UNIX_MEMORY, b""))
        waiting = struct.unpack_from("=I", attributes.get(_UNIX_QUEUE, bytes(4)))[0]
        total += waiting + memory[_SENT] + _COPIES * memory[_OPTIONS]
    return Held(total, sockets)


def _ip(line: socket.socket) -> Held:
    families, protocols = (socket.AF_INET, socket.AF_INET6), (socket.IPPROTO_TCP, socket.IPPROTO_UDP)
    held = Held()
    for family in families:
        for protocol in protocols:
            wanted = 1 << (_INET_MEMORY - 1)
            request = struct.pack("=BBBBI48x", family, protocol, wanted, 0, _LIVE_STATES)
            held = held.plus(_queues(line, request, _INET_MESSAGE, _INET_MEMORY))
    return held


def _netlink(line: socket.socket) -> Held:
    """Answers of the kernel that nobody reads."""
    request = struct.pack("=BBHII2I", socket.AF_NETLINK, _ALL_PROTOCOLS, 0, 0, _NETLINK_SHOW, 0, 0)
    return _queues(line, request, _NETLINK_MESSAGE, _NETLINK_MEMORY)


def _queues(line: socket.socket, request: bytes, head: int, attribute: int) -> Held:
    total = sockets = 0
    for attributes in _answers(line, request, head):
        sockets += 1
        memory = _memory(attributes.get(attribute, b""))
        total += memory[_RECEIVED] + memory[_QUEUED] + _COPIES * memory[_OPTIONS]
    return Held(total, sockets)


def _memory(value: bytes) -> tuple[int, ...]:
    """The kernel's array, zeros where it is shorter."""
    return struct.unpack_from("=7I", value.ljust(28, b"\0"))


def _answers(line: socket.socket, request: bytes, head: int) -> list[dict[int, bytes]]:
    """The attributes of every socket in the answer."""
    line.send(struct.pack("=IHHII", 16 + len(request), _BY_FAMILY, _REQUEST_DUMP, 0, 0) + request)
    found: list[dict[int, bytes]] = []
    while True:
        answer = line.recv(_CHUNK, socket.MSG_DONTWAIT)
        place = 0
        while place + 16 <= len(answer):
            length, kind = struct.unpack_from("=IH", answer, place)
            if kind in (_DONE, _ERROR) or length < 16:
                return found
            found.append(_parse(answer[place + 16 + head : place + length]))
            place += (length + 3) & ~3


def _parse(data: bytes) -> dict[int, bytes]:
    found = {}
    place = 0
    while place + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, place)
        if length < 4:
            break
        found[kind] = data[place + 4 : place + length]
        place += (length + 3) & ~3
    return found
