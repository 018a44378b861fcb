"""The line between the launcher and the supervisor: one message a packet, with descriptors attached.

To the launcher: the descriptor of a specification (marshal, from the process that is trusted, of any length) and those
by which it goes into its control group; or `go`.
From it: plain words, since the far end sits next to hostile code.
"""

from __future__ import annotations

import _socket  # `socket` costs 4 ms to import
import marshal
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` costs 10 ms to import
    from typing import Any

DESCRIPTORS = 8
"""At most so many come with a message."""
LARGEST = 128 * 1024
"""Bytes of a message in words; a socket's default buffer holds it."""


class Control:
    """The launcher's end."""

    def __init__(self, fd: int) -> None:
        os.set_inheritable(fd, False)
        self._socket = _socket.socket(fileno=fd)

    @property
    def fd(self) -> int:
        """The descriptor, which must survive when the others are closed."""
        return self._socket.fileno()

    def say(self, word: str, text: str = "", fds: tuple[int, ...] = ()) -> None:
        """Send `word text` with copies of `fds`."""
        message = f"{word} {text}".encode(errors="replace")[:LARGEST]
        rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack(f"={len(fds)}i", *fds))] if fds else []
        self._socket.sendmsg([message], rights)

    def specification(self) -> dict[str, Any]:
        """Ask what to do, say which process asks, and go into the control group whose doors come with the answer."""
        me = os.pidfd_open(os.getpid())
        self.say("next", fds=(me,))
        os.close(me)
        _, ancillary, _, _ = self._socket.recvmsg(16, _socket.CMSG_LEN(4 * DESCRIPTORS))
        if not ancillary:
            raise SystemExit(70)  # the supervisor is gone, so nothing must start
        rights = ancillary[0][2]
        told, *doors = struct.unpack(f"={len(rights) // 4}i", rights)
        for door in doors:
            os.write(door, b"0")
            os.close(door)
        with open(told, "rb") as file:  # noqa: PTH123 - `pathlib` costs 10 ms to import
            spec: dict[str, Any] = marshal.load(file)
        return spec

    def wait_go(self) -> None:
        """Wait for the supervisor to have done its part."""
        if self._receive() != b"go":
            raise OSError("the supervisor did not say go")

    def _receive(self) -> bytes:
        message: bytes = self._socket.recv(LARGEST)
        if not message:
            raise SystemExit(70)  # the supervisor is gone, so nothing must start
        return message
