"""What is counted of a run from outside: memory by process, sockets, control groups; and what is told of it."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandboxes import BACKENDS, LIMITS, Run, control_groups

from novum.errors import ContainmentError
from novum.records import Limits
from novum.sandbox import Access, Sandbox, buffers, cgroup, procfs, recorded, watch
from novum.sandbox.confined import Confined
from novum.sandbox.namespaces import Namespaces
from novum.sandbox.open import lookup
from novum.sandbox.policy import python_paths

MIB = 1 << 20
OURS, OTHERS = os.makedev(0, 0x2D), "00:01"


def mapping(device: str, pss_kib: int, anonymous_kib: int = 0) -> str:
    return (
        f"7f0000000000-7f0010000000 rw-s 00000000 {device} 5    /some file: (deleted)\n"
        f"Size:  {pss_kib} kB\nPss:  {pss_kib} kB\nPss_Dirty:  {pss_kib} kB\nAnonymous:  {anonymous_kib} kB\n"
        "VmFlags: rd wr sh mr\n"
    )


@contextlib.contextmanager
def made_up(folder: Path, *, anonymous_kib: int, shared_kib: int, mappings: str) -> Iterator[int]:
    """A /proc with one process."""
    process = folder / "7"
    process.mkdir()
    rollup = f"head\nPss_Anon:  {anonymous_kib} kB\nPss_Shmem:  {shared_kib} kB\n"
    (process / "smaps_rollup").write_text(rollup)
    (process / "smaps").write_text(mappings)
    (process / "stat").write_text("7 (name) S 1")
    fd = os.open(folder, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


# -- memory of processes -----------------------------------------------------------------------------------


def test_shared_memory_does_not_hide_behind_files_that_are_not_mapped(tmp_path: Path) -> None:
    files = procfs.Files(frozenset({OURS}), 0)
    with made_up(tmp_path, anonymous_kib=10, shared_kib=900, mappings=mapping(OTHERS, 900)) as proc:
        assert procfs.exact_memory({"7": 910 << 10}, files, 100 << 10, proc) == 910 << 10


def test_mapped_files_of_the_run_are_not_its_memory(tmp_path: Path) -> None:
    files = procfs.Files(frozenset({OURS}), 5 << 10)
    mappings = mapping("00:2d", 700) + mapping(OTHERS, 200)
    with made_up(tmp_path, anonymous_kib=10, shared_kib=900, mappings=mappings) as proc:
        assert procfs.exact_memory({"7": 910 << 10}, files, 100 << 10, proc) == (10 + 200 + 5) << 10


def test_private_copies_of_mapped_files_are_memory(tmp_path: Path) -> None:
    files = procfs.Files(frozenset({OURS}), 0)
    mappings = mapping("00:2d", 700, anonymous_kib=300)
    with made_up(tmp_path, anonymous_kib=300, shared_kib=400, mappings=mappings) as proc:
        assert procfs.exact_memory({"7": 700 << 10}, files, 100 << 10, proc) == 300 << 10


def test_a_process_that_hides_counts_in_full(tmp_path: Path) -> None:
    files = procfs.Files(frozenset({OURS}), 0)
    with made_up(tmp_path, anonymous_kib=0, shared_kib=0, mappings="") as proc:
        (tmp_path / "7/smaps_rollup").write_text("")
        assert procfs.exact_memory({"7": 123}, files, 0, proc) == 123


def test_a_list_of_mappings_that_is_cut_short_counts_upwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = mapping("00:2d", 100)
    monkeypatch.setattr(procfs, "MOST_MAPPINGS_BYTES", len(first) + 80)
    files = procfs.Files(frozenset({OURS}), 0)
    with made_up(tmp_path, anonymous_kib=0, shared_kib=900, mappings=first + mapping("00:2d", 800)) as proc:
        assert procfs.exact_memory({"7": 900 << 10}, files, 0, proc) == 800 << 10


def test_memory_in_the_swap_counts(tmp_path: Path) -> None:
    fields = ["S", *"0" * 21]
    with made_up(tmp_path, anonymous_kib=0, shared_kib=0, mappings="") as proc:
        (tmp_path / "7/status").write_text("Name: x\nVmPTE:\t  8 kB\nVmSwap:\t  4000 kB\n")
        assert procfs.beside("7", fields, proc, True) == 4008 << 10
        assert procfs.beside("7", fields, proc, False) == 0


# -- sockets -----------------------------------------------------------------------------------------------


def test_sockets_in_no_list_count_with_what_their_filters_can_take() -> None:
    text = "sockets: used 17\nTCP: inuse 2 orphan 0 tw 0 alloc 2 mem 146\n"
    assert buffers.unlisted(text, 7) == 10 * buffers.UNLISTED_BYTES
    assert buffers.unlisted(text, 30) == 0
    assert buffers.unlisted("", 0) == 0


def test_what_waits_in_local_sockets_is_told_by_the_kernel() -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as line:
        before = buffers.held_locally(line.fileno())
        near, far = socket.socketpair()
        with near, far:
            near.send(bytes(100_000))
            held = buffers.held_locally(line.fileno())
    assert held.bytes - before.bytes >= 100_000
    assert held.sockets - before.sockets >= 2


def test_filters_and_unread_answers_of_the_kernel_are_told() -> None:
    code = struct.pack("=HBBI", 0, 0, 0, 1) * 999 + struct.pack("=HBBI", 6, 0, 0, 0xFFFF)
    question = struct.pack("=IHHIIBxHiII", 32, 18, 1, 1, 0, 0, 0, 1, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as line:
        before = buffers.held_slowly(line.fileno()).bytes
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as asking:
            for _ in range(20):
                asking.send(question)
            unread = buffers.held_slowly(line.fileno()).bytes - before
        assert unread > 10_000
        with socket.create_server(("127.0.0.1", 0)) as listening:
            _attach(listening, code)
            assert buffers.held_slowly(line.fileno()).bytes - before > 3 * 8000


def _attach(line: socket.socket, code: bytes) -> None:
    import ctypes

    kept = ctypes.create_string_buffer(code)
    line.setsockopt(
        socket.SOL_SOCKET, 26, struct.pack("@HP", len(code) // 8, ctypes.addressof(kept))
    )  # SO_ATTACH_FILTER


# -- control groups ----------------------------------------------------------------------------------------


def test_a_group_that_still_holds_a_process_is_a_failed_containment(tmp_path: Path) -> None:
    group = tmp_path / "novum-1-x"
    group.mkdir()
    (group / "cgroup.procs").write_text("1\n")
    with pytest.raises(ContainmentError, match="FAILED_CONTAINMENT"):
        cgroup._remove(group)


@pytest.mark.parametrize("backend", [*BACKENDS, "landlock"])
def test_the_payload_is_in_every_control_group_with_only_the_sandboxs_own(backend: str) -> None:
    if cgroup.find() is None:
        pytest.skip("needs control groups that this user may make")
    sandbox = lookup(backend).make()
    assert isinstance(sandbox, Confined)
    found: list[list[str]] = []

    def look(_: str, __: bytes) -> None:
        for folder in control_groups():
            members = (folder / "cgroup.procs").read_text().split()
            found.append([Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0] for pid in members])

    command = ["/bin/sh", "-c", "echo; read x < /dev/zero"]
    with tempfile.TemporaryDirectory() as work:  # into the tests' own folder no other user can go
        sandbox.run(command, Path(work), Limits(wall_s=0.5), on_output=look)
    assert found
    assert [members.count("/bin/sh") for members in found] == [1] * len(found)
    assert {len(members) for members in found} == {1 + sandbox.own_tasks}


def test_a_group_that_counts_no_processor_time_says_so(tmp_path: Path) -> None:
    for name in ("memory", "pids"):
        folder = tmp_path / name
        folder.mkdir()
    group = object.__new__(cgroup.Group)
    group._version, group._folders = 1, {name: tmp_path / name for name in ("memory", "pids")}
    (tmp_path / "pids/pids.current").write_text("3")
    for name in ("memory/memory.stat", "memory/memory.oom_control", "pids/pids.events"):
        (tmp_path / name).write_text("")
    assert group.read() == (0, 3, None, 0, 0)


# -- processor time ----------------------------------------------------------------------------------------


def _fields(own: int, started: int) -> list[str]:
    return ["R", *["0"] * 10, str(own), "0", "5", "5", *["0"] * 4, str(started), "0"]


def test_what_a_process_used_counts_when_it_is_gone() -> None:
    processor = procfs.Processor()
    assert processor.count({"7": _fields(3, 100)}) == 3
    assert processor.count({"7": _fields(9, 100), "8": _fields(1, 120)}) == 10
    assert processor.count({"8": _fields(2, 120)}) == 11
    assert processor.count({"8": _fields(1, 150)}) == 12  # another process of the same number
    assert processor.count({}) == 12


def test_children_that_nobody_waits_for_use_processor_time(work: Path) -> None:
    program = (
        "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "for _ in range(20):\n    if not os.fork():\n        while time.process_time() < 0.3: pass\n"
        "        os._exit(0)\n    try: os.wait()\n    except ChildProcessError: pass"
    )
    limits = LIMITS.model_copy(update={"cpu_s": 1.0})
    access = Access(readonly=python_paths(Path(sys.executable)))
    outcome = Namespaces(None).run([sys.executable, "-c", program], work, limits, access)
    assert outcome.ended == "timeout", outcome
    assert "CPU time; the limit is 1 s" in outcome.message
    assert recorded.CPU_WATCHED in outcome.approximate


# -- what the record says ----------------------------------------------------------------------------------


def test_the_record_says_which_limits_are_approximate() -> None:
    limits = Limits(cpu_s=5)
    assert recorded.approximate(limits, in_memory=False, grouped=True, gpus=False)[1:] == (
        recorded.CPU_COUNTED,
    )
    exact = recorded.approximate(Limits(), in_memory=False, grouped=True, gpus=False)
    assert exact == (recorded.DISK_WATCHED,)
    watched = recorded.approximate(limits, in_memory=True, grouped=False, gpus=True)
    assert watched == (recorded.MEMORY_WATCHED, recorded.CPU_WATCHED, recorded.GPU_WATCHED)


def test_a_run_carries_its_approximations(sandbox: Sandbox, work: Path) -> None:
    outcome = sandbox.run(["/bin/true"], work, LIMITS, Access())
    assert any(words.startswith("memory:") for words in outcome.approximate)
    assert recorded.DISK_WATCHED not in outcome.approximate


# -- both together, in a sandbox ---------------------------------------------------------------------------


def test_memory_does_not_hide_behind_the_inputs(sandbox: Sandbox, work: Path) -> None:
    (work / "input").write_bytes(bytes(300 * MIB))
    program = (
        f"import time\nx = bytearray({250 * MIB})\nfor i in range(0, len(x), 4096): x[i] = 1\ntime.sleep(1)"
    )
    limits = LIMITS.model_copy(update={"memory_bytes": 128 * MIB})
    access = Access(readonly=python_paths(Path(sys.executable)))
    outcome = sandbox.run([sys.executable, "-c", program], work, limits, access)
    assert outcome.ended == "memory"


def test_an_input_that_is_replaced_is_a_file_and_no_memory(sandbox: Sandbox, work: Path, python: Run) -> None:
    (work / "input").write_bytes(bytes(100 * MIB))
    program = (
        "import os, time\nos.remove('input')\ntime.sleep(0.3)\n"
        f"for i in range(100): open('new', 'ab').write(bytes({MIB}))\ntime.sleep(0.2)"
    )
    limits = LIMITS.model_copy(update={"memory_bytes": 64 * MIB})
    assert python(program, limits=limits).ok


def test_a_disk_that_fills_is_looked_at_before_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # After a look that took long the next one is put off, and a disk can take a gigabyte in a second.
    work, proc = os.open(tmp_path, os.O_RDONLY), os.open("/proc", os.O_RDONLY)
    meter = watch.Meter(watch.Handles(-1, work, proc), LIMITS, None, in_memory=False, launcher=os.getpid())
    clock, looks = [100.0], []

    def judge() -> None:
        looks.append(clock[0])
        clock[0] += 0.01

    monkeypatch.setattr(watch.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(meter, "judge", judge)
    monkeypatch.setattr(meter._disk, "is_filling", lambda: clock[0] > 100.1)
    try:
        for _ in range(200):
            meter.look()
            clock[0] += 0.001
    finally:
        os.close(work)
        os.close(proc)
    gaps = [round(later - sooner, 3) for sooner, later in itertools.pairwise(looks)]
    assert set(gaps[:2]) == {0.04}  # four times as long as a look takes
    assert set(gaps[3:]) == {0.02}  # as long again as it takes
