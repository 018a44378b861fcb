"""Records in a study folder are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from novum.store import StudyFolder


def test_a_record_is_on_disk_before_it_takes_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut run.json was empty, though the event that it had finished was on disk."""
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        done.append(Path(f"/proc/self/fd/{descriptor}").read_text(encoding="utf-8"))
        fsync(descriptor)

    def renamed(source: Path, target: Path) -> None:
        done.append(f"renamed to {target.name}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    StudyFolder(tmp_path).write_json(tmp_path / "runs" / "run.json", {"status": "ok"})
    assert done == ['{\n "status": "ok"\n}\n', "renamed to run.json"]
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["run.json"]
