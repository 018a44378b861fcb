"""The built-in backend: needs nothing but a kernel that lets this user make user namespaces."""

from __future__ import annotations

from collections.abc import Callable

from novum.sandbox.confined import Confined, Job
from novum.sandbox.starting import launcher_command
from novum.sandbox.supervise import Chain


class Namespaces(Confined):
    """The launcher builds the room itself."""

    name = "namespaces"

    def chain(self, job: Job, sent: int, fill: Callable[[int], None]) -> Chain:
        """One program, which is told everything."""
        return Chain(launcher_command(sent), job.specification("namespaces"))
