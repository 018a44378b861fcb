"""Apptainer, which must be named: what is told to it, what is taken from it, and when it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandboxes import LIMITS

from novum.errors import SandboxError, UsageError
from novum.sandbox import Access, apptainer
from novum.sandbox.open import lookup

APPTAINER = """#!/bin/sh
# Stands for Apptainer: notes how it was called, and runs the command without any container.
echo "$*" >> {log}
for argument in "$@"; do case "$argument" in --bind=*:/work) work="${{argument#--bind=}}";; esac; done
cd "${{work%:/work}}"
while [ "$1" != {image} ]; do shift; done
shift; exec "$@"
"""


@pytest.fixture
def apptainers(tmp_path: Path) -> apptainer.Apptainer:
    image, program = tmp_path / "image.sif", tmp_path / "apptainer"
    image.touch()
    program.write_text(APPTAINER.format(log=tmp_path / "log", image=image))
    program.chmod(0o755)
    return apptainer.Apptainer(str(program), image)


def test_apptainer_is_closed_and_limited(work: Path, tmp_path: Path, apptainers: apptainer.Apptainer) -> None:
    (work / "evaluate.py").write_text("honest")
    access = Access(protected=("evaluate.py",), environment={"SEED": "7"})
    outcome = apptainers.run(["/bin/sh", "-c", "echo out; echo x > new; exit 3"], work, LIMITS, access)
    assert (outcome.ended, outcome.exit_code, outcome.stdout) == ("exit", 3, "out\n")
    assert (work / "new").read_text() == "x\n"
    run = (tmp_path / "log").read_text().split()
    for flag in (
        *("exec", "--containall", "--no-home", "--net", "--network=none", "--cleanenv", "--no-privs"),
        *(f"--memory={LIMITS.memory_bytes}", f"--pids-limit={LIMITS.tasks}", "--env=SEED=7"),
        *(f"--bind={work}:/work", f"--bind={work}/evaluate.py:/work/evaluate.py:ro", "--core=0"),
    ):
        assert flag in run, flag
    assert any(flag.startswith("--security=seccomp:") for flag in run)


def test_how_a_run_in_apptainer_ended_is_named(work: Path, apptainers: apptainer.Apptainer) -> None:
    def ended(script: str, **changes: float) -> str:
        limits = LIMITS.model_copy(update=changes)
        return apptainers.run(["/bin/sh", "-c", script], work, limits).ended

    assert ended("exit 137") == "memory"
    assert ended("exit 152", cpu_s=2.0) == "timeout"
    assert ended("sleep 60", wall_s=0.3) == "timeout"
    assert ended("exit 125") == "exit"
    with pytest.raises(SandboxError, match="cannot be started"):
        ended("echo 'FATAL:   no image' >&2; exit 255")
    with pytest.raises(UsageError, match="cannot be started"):
        apptainers.run(["/no/such/program"], work, LIMITS)
    with pytest.raises(UsageError, match="every GPU"):
        apptainers.run(["/bin/true"], work, LIMITS, Access(gpus=(0,)))


def test_apptainer_is_had_by_name_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="not installed"):
        apptainer.find("image.sif")
    (tmp_path / "apptainer").touch(mode=0o755)
    with pytest.raises(SandboxError, match="no Apptainer image"):
        lookup("container:apptainer:/no/such/image.sif").make()
    image = tmp_path / "image.sif"
    image.touch()
    assert "apptainer, image image.sif" in lookup(f"container:apptainer:{image}").make().level
