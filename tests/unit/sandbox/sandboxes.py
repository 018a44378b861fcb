"""What the tests of the sandbox share beside fixtures. Not in conftest.py, of which there are many."""

from __future__ import annotations

from collections.abc import Callable

from novum.records import Limits, Outcome

BACKENDS = ("namespaces", "bubblewrap")
Run = Callable[..., Outcome]
LIMITS = Limits(wall_s=20, memory_bytes=512 << 20, disk_bytes=64 << 20, file_bytes=1 << 40)
