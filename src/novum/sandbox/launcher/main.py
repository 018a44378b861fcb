"""The launcher's entry. Each mode is a module of its own, so that only what is needed is imported:

namespaces   leave for new namespaces, build the room, be its process 1
init         (inside bubblewrap) be process 1 of a room that is there
plain        (degraded backends) no namespaces
"""

import posix as os

from .control import Control

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn


def main(spec: "dict[str, Any]") -> "NoReturn":
    """Do what the specification says, and talk about it with the supervisor."""
    control = Control(spec["control"])
    os.umask(0o022)  # the caller's may be 077, and the room must be open to the payload's user
    try:
        if spec["grouped"]:
            control.join(spec["doors"])
        close_all_but(control.fd)
        _mode(spec["mode"])(control, spec)
    except OSError as error:
        control.say("failed", str(error))
    finally:
        os._exit(70)


def _mode(name: str) -> "Callable[[Control, dict[str, Any]], None]":
    if name == "namespaces":
        from .namespaces import namespaces

        return namespaces
    if name == "init":
        from .init import init

        return init
    from .plain import plain

    return plain


def close_all_but(keep: int) -> None:
    """Close every descriptor above the standard three but `keep`."""
    last = 1 << 20
    os.closerange(3, max(keep, 3))
    os.closerange(max(keep, 2) + 1, last)
