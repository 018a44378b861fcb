"""What the sockets of one network namespace hold in the kernel: memory that belongs to no process.

Asked of the kernel (sock_diag(7)) over a netlink socket that was opened inside. Data whose sender has closed is
counted where it waits, else where it was charged; both are added, so the sum errs upwards, by a factor of two at most.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

_BY_FAMILY, _DONE, _ERROR = 20, 3, 2
_REQUEST_DUMP = 0x301
_ALL_STATES = 0xFFFFFFFF
_UNIX_QUEUE_AND_MEMORY = 0x10 | 0x20
_UNIX_QUEUE, _UNIX_MEMORY, _INET_MEMORY = 4, 5, 7
_UNIX_MESSAGE, _INET_MESSAGE = 16, 72
"""Bytes of an answer before its attributes."""
_CHUNK = 1 << 16


def held_locally(net: int) -> int:
    """Bytes in the buffers of Unix sockets; `net` is the netlink socket's descriptor. 0 when the kernel cannot say."""
    return _with(net, _unix)


def held_by_ip(net: int) -> int:
    """The same for TCP and UDP. It costs 1 ms, for the kernel goes through the tables of the whole machine."""
    return _with(net, _ip)


def _with(net: int, count: Callable[[socket.socket], int]) -> int:
    line = socket.socket(fileno=net)
    try:
        return count(line)
    except OSError:
        return 0
    finally:
        line.detach()


def _ip(line: socket.socket) -> int:
    families, protocols = (socket.AF_INET, socket.AF_INET6), (socket.IPPROTO_TCP, socket.IPPROTO_UDP)
    return sum(_inet(line, family, protocol) for family in families for protocol in protocols)


def _unix(line: socket.socket) -> int:
    request = struct.pack("=BBHIII2I", socket.AF_UNIX, 0, 0, _ALL_STATES, 0, _UNIX_QUEUE_AND_MEMORY, 0, 0)
    total = 0
    for kind, value in _attributes(line, request, _UNIX_MESSAGE):
        if kind == _UNIX_QUEUE:
            total += struct.unpack_from("=I", value)[0]
        elif kind == _UNIX_MEMORY:
            total += struct.unpack_from("=3I", value)[2]
    return total


def _inet(line: socket.socket, family: int, protocol: int) -> int:
    memory_wanted = 1 << (_INET_MEMORY - 1)
    request = struct.pack("=BBBBI48x", family, protocol, memory_wanted, 0, _ALL_STATES)
    total = 0
    for kind, value in _attributes(line, request, _INET_MESSAGE):
        if kind == _INET_MEMORY:
            received, _, _, _, _, queued = struct.unpack_from("=6I", value)
            total += received + queued
    return total


def _attributes(line: socket.socket, request: bytes, head: int) -> list[tuple[int, bytes]]:
    """The attributes of every socket in the answer."""
    line.send(struct.pack("=IHHII", 16 + len(request), _BY_FAMILY, _REQUEST_DUMP, 0, 0) + request)
    found: list[tuple[int, bytes]] = []
    while True:
        answer = line.recv(_CHUNK, socket.MSG_DONTWAIT)
        place = 0
        while place + 16 <= len(answer):
            length, kind = struct.unpack_from("=IH", answer, place)
            if kind in (_DONE, _ERROR) or length < 16:
                return found
            found += _parse(answer[place + 16 + head : place + length])
            place += (length + 3) & ~3


def _parse(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    place = 0
    while place + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, place)
        if length < 4:
            break
        found.append((kind, data[place + 4 : place + length]))
        place += (length + 3) & ~3
    return found
