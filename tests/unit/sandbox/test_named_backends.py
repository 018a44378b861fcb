"""Backends that must be named: what is told to an engine, what is taken from it, and when they refuse."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path

import pytest
from sandboxes import LIMITS

from novum.errors import SandboxError, UsageError
from novum.sandbox import Access, container, plain, recorded
from novum.sandbox.container import Container
from novum.sandbox.open import automatic, lookup, self_test
from novum.sandbox.selftest import passed

ENGINE = """#!/bin/sh
# Stands for an engine: notes how it was called, and runs the command without any container.
echo "$*" >> {log}
case "$1" in
run)
    for argument in "$@"; do case "$argument" in --mount=type=bind,source=*,target=/work) work="$argument";; esac; done
    work="${{work#--mount=type=bind,source=}}"; cd "${{work%,target=/work}}"
    while [ "$1" != "{image}" ]; do case "$1" in --entrypoint=*) program="${{1#--entrypoint=}}";; esac; shift; done
    shift; echo $$ > {log}.pid; exec "$program" "$@" ;;
kill) kill -9 -"$(cat {log}.pid)" ;;
inspect) echo '{state}' ;;
esac
"""


def engine(folder: Path, state: str = '{"StartedAt": "2026-01-01T00:00:00Z", "OOMKilled": false}') -> Path:
    path = folder / "docker"
    path.write_text(ENGINE.format(log=folder / "log", image="image", state=state))
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return path


def called(folder: Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


def test_a_container_is_closed_limited_and_removed(work: Path, tmp_path: Path) -> None:
    (work / "evaluate.py").write_text("honest")
    access = Access(protected=("evaluate.py",), environment={"SEED": "7"})
    box = Container(str(engine(tmp_path)), "image")
    outcome = box.run(["/bin/sh", "-c", "echo out; echo x > new; exit 3"], work, LIMITS, access)
    assert (outcome.ended, outcome.exit_code, outcome.stdout, outcome.backend) == (
        "exit",
        3,
        "out\n",
        "container",
    )
    assert (work / "new").read_text() == "x\n"
    run = called(tmp_path)[0].split()
    for flag in (
        *(
            "--network=none",
            "--read-only",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
            "--pull=never",
        ),
        *(
            f"--memory={LIMITS.memory_bytes}",
            f"--memory-swap={LIMITS.memory_bytes}",
            f"--pids-limit={LIMITS.tasks}",
        ),
        *("--env=SEED=7", "--workdir=/work", f"--mount=type=bind,source={work},target=/work"),
        f"--mount=type=bind,source={work}/evaluate.py,target=/work/evaluate.py,readonly",
    ):
        assert flag in run, flag
    uid = next(flag for flag in run if flag.startswith("--user=")).removeprefix("--user=").split(":")[0]
    assert int(uid) != 0
    assert called(tmp_path)[-1].startswith("rm --force novum-")


def test_a_python_of_the_host_becomes_the_images(work: Path, tmp_path: Path) -> None:
    box = Container(str(engine(tmp_path)), "image")
    box.run([sys.executable, "-c", "pass"], work, LIMITS, Access(readonly=(Path(sys.prefix),)))
    assert " KILL 50 python3 -c pass" in called(tmp_path)[0]
    assert sys.prefix not in called(tmp_path)[0]


def test_an_engine_that_fails_is_no_result(work: Path, tmp_path: Path) -> None:
    box = Container(str(engine(tmp_path)), "image")
    with pytest.raises(SandboxError, match="cannot be started"):
        box.run(["/bin/sh", "-c", "exit 125"], work, LIMITS)
    never = engine(tmp_path, '{"StartedAt": "0001-01-01T00:00:00Z"}')
    with pytest.raises(SandboxError, match="cannot be started"):
        Container(str(never), "image").run(["/bin/true"], work, LIMITS)
    with pytest.raises(SandboxError, match="cannot be started"):
        Container(str(tmp_path / "none"), "image").run(["/bin/true"], work, LIMITS)


def test_the_payloads_own_125_is_its_exit_code(work: Path, tmp_path: Path) -> None:
    ended = engine(tmp_path, '{"StartedAt": "2026-01-01", "ExitCode": 125}')
    outcome = Container(str(ended), "image").run(["/bin/sh", "-c", "exit 125"], work, LIMITS)
    assert (outcome.ended, outcome.exit_code) == ("exit", 125)


def test_a_container_ends_by_itself_when_novum_was_killed(work: Path, tmp_path: Path) -> None:
    Container(str(engine(tmp_path)), "image").run(["/bin/true"], work, LIMITS)
    assert "--entrypoint=timeout image -s KILL 50 /bin/true" in called(tmp_path)[0]


def test_a_command_that_the_image_lacks_is_an_error_of_use(work: Path, tmp_path: Path) -> None:
    box = Container(str(engine(tmp_path)), "image")
    with pytest.raises(UsageError, match="cannot be started"):
        box.run(["/no/such/program"], work, LIMITS)
    lying = box.run(
        ["/bin/sh", "-c", "echo timeout: failed to run x >&2; echo more >&2; exit 127"], work, LIMITS
    )
    assert (lying.ended, lying.exit_code) == ("exit", 127)


def test_time_of_the_processor_and_tasks_in_a_container_are_named(work: Path, tmp_path: Path) -> None:
    box = Container(str(engine(tmp_path)), "image")
    limits = LIMITS.model_copy(update={"cpu_s": 2.5})
    outcome = box.run(["/bin/sh", "-c", "exit 152"], work, limits)
    assert outcome.ended == "timeout"
    assert "2.5 s" in outcome.message
    assert "--ulimit=cpu=3" in called(tmp_path)[0].split()
    assert recorded.CPU_BY_PROCESS in outcome.approximate
    script = 'echo "RuntimeError: can\'t start new thread" >&2; exit 1'
    assert box.run(["/bin/sh", "-c", script], work, LIMITS).ended == "tasks"


def test_memory_in_a_container_is_named(work: Path, tmp_path: Path) -> None:
    killed = engine(tmp_path, '{"StartedAt": "2026", "OOMKilled": true}')
    outcome = Container(str(killed), "image").run(["/bin/sh", "-c", "kill -9 $$"], work, LIMITS)
    assert outcome.ended == "memory"


def test_time_and_disk_in_a_container_are_held_from_outside(work: Path, tmp_path: Path) -> None:
    box = Container(str(engine(tmp_path)), "image")
    assert box.run(["/bin/sleep", "60"], work, LIMITS.model_copy(update={"wall_s": 0.3})).ended == "timeout"
    assert any(line.startswith("kill novum-") for line in called(tmp_path))
    script = (
        "i=0; while true; do i=$((i + 1)); dd if=/dev/zero of=f$i bs=1M count=4 2>/dev/null; sleep 0.05; done"
    )
    limits = LIMITS.model_copy(update={"disk_bytes": 8 << 20, "wall_s": 10})
    assert box.run(["/bin/sh", "-c", script], work, limits).ended == "disk"


def test_an_engine_and_an_image_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert container.find("docker:mine")[1] == "mine"
    assert container.find("mine:1.0")[1] == "mine:1.0"
    assert container.find("")[1] == container.IMAGE
    assert "image mine:1.0" in lookup("container:docker:mine:1.0").make().level
    with pytest.raises(SandboxError, match="no container engine"):
        container.find("podman")


def test_an_engine_that_confines_nothing_fails_the_self_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = engine(tmp_path)
    path.write_text(path.read_text().replace('"image"', f'"{container.IMAGE}"'))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    checks = self_test("container")
    assert not passed(checks)


def test_macos_takes_containers_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert automatic() == ("container",)


def test_the_recipe_of_the_image_ships() -> None:
    assert "FROM" in container.RECIPE.read_text()


# -- outer ----------------------------------------------------------------------------------------------


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place that looks closed: no route, no secrets, limits."""
    monkeypatch.setattr(plain, "_has_default_route", lambda path: False)
    monkeypatch.setattr(plain, "_memory_limit", lambda: 1 << 30)
    monkeypatch.setattr(plain, "LARGEST_DISK", 1 << 60)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if plain.SECRET_NAME.search(name)]:
        monkeypatch.delenv(name)
    plain.Outer.require()
    return tmp_path


def test_outer_refuses_a_place_with_a_way_out(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "_has_default_route", lambda path: path.name == "route")
    with pytest.raises(SandboxError, match="not a sandbox") as caught:
        plain.Outer.require()
    assert caught.value.why == "it has a route out"


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "github_token", "DB_PASSWORD", "AWS_SECRET_ACCESS", "X_CREDENTIALS"]
)
def test_outer_refuses_secrets_in_the_environment(
    closed: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(SandboxError) as caught:
        plain.Outer.require()
    assert name in caught.value.why


def test_outer_refuses_secrets_in_the_home_folder(closed: Path) -> None:
    (closed / ".ssh").mkdir()
    with pytest.raises(SandboxError) as caught:
        plain.Outer.require()
    assert ".ssh" in caught.value.why


def test_outer_refuses_without_limits(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "_memory_limit", lambda: plain.LARGEST_MEMORY)
    monkeypatch.setattr(plain, "LARGEST_DISK", 1)
    with pytest.raises(SandboxError) as caught:
        plain.Outer.require()
    assert "memory" in caught.value.why
    assert "disk" in caught.value.why


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("route", "Iface\tDestination\tGateway\neth0\t00000000\t0100000A\n", True),
        ("route", "Iface\tDestination\tGateway\neth0\t0000A8C0\t00000000\n", False),
        ("route", "", False),
        ("ipv6_route", f"{'0' * 32} 00 {'0' * 32} 00 fe80 400 1 0 3 eth0\n", True),
        ("ipv6_route", f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 1 0 200200 lo\n", False),
        ("ipv6_route", f"fe80{'0' * 28} 40 {'0' * 32} 00 {'0' * 32} 400 1 0 1 eth0\n", False),
    ],
)
def test_default_routes_are_seen(tmp_path: Path, name: str, text: str, found: bool) -> None:
    (tmp_path / name).write_text(text)
    assert plain._has_default_route(tmp_path / name) is found


def test_an_old_landlock_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "NEEDED_ABI", 1000)
    with pytest.raises(SandboxError, match="too old"):
        plain.Landlock.require()
    (check,) = self_test("landlock")
    assert not check.ok


def test_a_weaker_backend_is_never_taken_by_itself() -> None:
    assert set(automatic()) <= {"bubblewrap", "namespaces"}


def test_a_command_that_the_degraded_backend_cannot_reach_is_an_error_of_use() -> None:
    # Not below the tests' own folder, which under root only root can enter, and this backend's payload is not root.
    with tempfile.TemporaryDirectory() as work, pytest.raises(UsageError, match="cannot be started"):
        lookup("landlock").make().run(["/work/none"], Path(work), LIMITS)
