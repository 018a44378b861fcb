"""What the tests of the sandbox share beside fixtures. Not in conftest.py, of which there are many."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from novum.records import Limits, Outcome

BACKENDS = ("namespaces", "bubblewrap")
Run = Callable[..., Outcome]
LIMITS = Limits(wall_s=20, memory_bytes=512 << 20, disk_bytes=64 << 20, file_bytes=1 << 40)


def control_groups() -> list[Path]:
    """Those that runs of this process have made and not removed."""
    return list(Path("/sys/fs/cgroup").rglob(f"novum-{os.getpid()}-*"))
