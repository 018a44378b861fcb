"""What a run leaves in its output folder, taken as data within the limits of the run.

Covered: links, giants and odd names (by the sandbox's harvest), code, hidden files, and names by which the harness
keeps its own records. Not covered: what a file says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from novum.records import Limits, Outcome
from novum.sandbox.harvest import Harvest, HarvestLimits, harvest

INFO = "final_info.json"
RECORDS = frozenset({"run.json", "stdout.txt", "stderr.txt", "environment.json"})
"""What the harness itself writes beside the outputs of a run."""
_CODE = frozenset({".py", ".pyc", ".so"})


def take(out: Path, record: Path, limits: Limits, wanted: Callable[[str], bool] | None = None) -> Harvest:
    """Copy what a run left in `out` to `record`, as much as the run itself was allowed to write.

    Nothing is taken when the run never made the folder, or put something else in its place.
    """
    if out.is_symlink() or not out.is_dir():
        return Harvest(taken=(), refused=(), total_bytes=0)
    most = HarvestLimits(file_bytes=limits.file_bytes, total_bytes=limits.disk_bytes)
    return harvest(out, record, wanted=wanted or is_data, limits=most)


def is_data(name: str) -> bool:
    """Whether a file is kept: no code, nothing hidden, and no name that the harness uses for something else."""
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__")) for part in path.parts)
    folder_of_info = path.parts[0] == INFO and len(path.parts) > 1
    return not (hidden or folder_of_info or path.parts[0] in RECORDS or path.suffix in _CODE)


def left_behind(outcome: Outcome, taken: Harvest, out: str) -> tuple[str, ...]:
    """What was not taken out of the folder `out` of the sandbox, nor then out of what came back: name and reason."""
    outside = (said.removeprefix(f"{out}/") for said in outcome.refused_files)
    return (*outside, *(f"{left.name}: {left.reason}" for left in taken.refused))


def missing_outputs(declared: Sequence[str], record: Path, left: Sequence[str]) -> str:
    """Which of the `declared` outputs are not in `record`, each with why it is among the `left`; "" when all are."""
    whys = dict(said.split(": ", 1) for said in left if ": " in said)
    said = [
        f"{name} was not taken: {whys[name]}" if name in whys else f"{name} is missing"
        for name in declared
        if not (record / name).exists()
    ]
    return f"the run did not leave the outputs that are declared: {'; '.join(said)}" if said else ""
