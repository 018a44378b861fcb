"""The line between the launcher and the supervisor: one message a packet, with descriptors attached.

To the launcher: `go`. From it: plain words, since the far end sits next to hostile code.
"""

import _socket
import _struct as struct
import posix as os

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

    def join(self, doors: list[int]) -> None:
        """Go into the control group: by its doors, or moved by the supervisor, who is told which process asks."""
        for door in doors:
            os.write(door, b"0")
            os.close(door)
        if not doors:
            me = os.pidfd_open(os.getpid())
            self.say("join", fds=(me,))
            os.close(me)
            self.wait_go()

    def wait_go(self) -> None:
        """Wait for the supervisor to have done its part."""
        if self._receive() != b"go":
            raise OSError("the supervisor did not say go")

    def _receive(self) -> bytes:
        message: bytes = self._socket.recv(LARGEST)
        if not message:
            raise SystemExit(70)  # the supervisor is gone, so nothing must start
        return message
