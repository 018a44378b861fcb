"""The launcher's parts that can be judged without starting anything."""

from __future__ import annotations

import errno
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from novum.sandbox import launcher
from novum.sandbox.launcher import kernel, seccomp
from novum.sandbox.launcher.kernel import NUMBERS
from novum.sandbox.policy import free_uid, own_python

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
ALLOW, KILL = 0x7FFF0000, 0x80000000
DENIED = 0x00050000 | errno.EPERM
ABSENT = 0x00050000 | errno.ENOSYS
NO_PROTOCOL = 0x00050000 | errno.EPROTONOSUPPORT
NO_FAMILY = 0x00050000 | errno.EAFNOSUPPORT


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_system_call_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"the kernel's headers are not installed ({header})")
    known = {
        name: int(value)
        for name, value in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
    }
    column = kernel.ARCHITECTURES[machine][0]
    wrong = {name: pair for name, pair in NUMBERS.items() if name in known and known[name] != pair[column]}
    assert wrong == {}
    assert sum(name in known for name in NUMBERS) > 60


class Filter:
    """Runs a filter as the kernel would, on system calls that are made up."""

    def __init__(
        self, machine: str, families: tuple[int, ...] = seccomp.LOCAL_AND_IP, reserves: bool = True
    ) -> None:
        self._column, self._audit = kernel.ARCHITECTURES[machine]
        code = seccomp.program(families, machine, reserves)
        self._code = [struct.unpack_from("=HBBI", code, i) for i in range(0, len(code), 8)]

    def __call__(self, name: str, *arguments: int) -> int:
        return self.number(NUMBERS[name][self._column], *arguments)

    def number(self, number: int, *arguments: int, audit: int | None = None) -> int:
        padded = [*arguments, *[0] * (6 - len(arguments))]
        data = struct.pack("=IIQ6Q", number, audit or self._audit, 0, *padded)
        position, accumulator = 0, 0
        while True:
            code, when_true, when_false, value = self._code[position]
            position += 1
            if code == 0x06:
                return int(value)
            if code == 0x20:
                accumulator = struct.unpack_from("=I", data, value)[0]
            else:
                tests = {
                    0x15: accumulator == value,
                    0x45: accumulator & value != 0,
                    0x35: accumulator >= value,
                }
                position += when_true if tests[code] else when_false


@pytest.fixture(params=["x86_64", "aarch64"])
def judge(request: pytest.FixtureRequest) -> Filter:
    return Filter(request.param)


def test_the_forbidden_are_forbidden_and_the_absent_absent(judge: Filter) -> None:
    for names, answer in ((seccomp.FORBIDDEN, DENIED), (seccomp.ABSENT, ABSENT)):
        for name in names:
            if NUMBERS[name][judge._column] >= 0:
                assert judge(name, *[0] * 6) == answer, name


def test_ordinary_calls_are_allowed(judge: Filter) -> None:
    numbers = {number for pair in NUMBERS.values() for number in pair}
    for number in set(range(460)) - numbers:
        assert judge.number(number) == ALLOW


def test_other_architectures_are_killed(judge: Filter) -> None:
    for audit in (0x40000003, 0x40000028, 0xC0000015):
        assert judge.number(0, audit=audit) == KILL


def test_the_calls_of_x32_are_killed() -> None:
    assert Filter("x86_64").number(0x40000000 + 39) == KILL


@pytest.mark.parametrize(
    "flag", [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]
)
def test_clone_with_a_namespace_is_denied(judge: Filter, flag: int) -> None:
    assert judge("clone", flag | 17) == DENIED
    assert judge("clone", 0x3D0F00) == ALLOW  # what a thread is made with


def test_a_thread_shares_its_open_files(judge: Filter) -> None:
    # Else its files are in no folder of /proc/PID, and what they hold is not counted.
    assert judge("clone", 0x3D0F00 & ~0x400) == DENIED
    assert judge("clone", 17) == ALLOW


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_space_is_reserved_only_where_a_file_system_bounds_it(machine: str) -> None:
    for request in (0x40305828, 0x4030582A, 0x40305839):
        assert Filter(machine)("ioctl", 3, request) == ALLOW
        assert Filter(machine, reserves=False)("ioctl", 3, request) == DENIED
    assert Filter(machine)("fallocate", 3, 1) == ALLOW
    assert Filter(machine, reserves=False)("fallocate", 3, 1) == 0x00050000 | errno.EOPNOTSUPP


def test_sockets_by_family(judge: Filter) -> None:
    for family in range(64):
        allowed = family in seccomp.LOCAL_AND_IP
        assert judge("socket", family, 1, 0) == (ALLOW if allowed else NO_FAMILY), family
        assert judge("socketpair", family, 1, 0) == (ALLOW if family == 1 else NO_FAMILY)
    for family, protocols in seccomp.PROTOCOLS.items():
        for protocol in range(300):
            allowed = protocol in protocols
            assert judge("socket", family, 1, protocol) == (ALLOW if allowed else NO_PROTOCOL)


def test_no_sockets_when_none_are_wanted() -> None:
    without = Filter("x86_64", seccomp.NO_SOCKETS)
    assert {without("socket", family, 1, 0) for family in range(64)} == {NO_FAMILY}
    assert without("socketpair", 1, 1, 0) == ALLOW


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o6000, 0o104755])
def test_set_id_bits_are_denied_wherever_a_mode_is_given(judge: Filter, mode: int) -> None:
    plain = mode & 0o777
    for name, arguments in {
        "fchmod": (3,),
        "fchmodat": (3, 0),
        "fchmodat2": (3, 0),
        "mknodat": (3, 0),
    }.items():
        assert judge(name, *arguments, mode) == DENIED, name
        assert judge(name, *arguments, plain) == ALLOW, name
    assert judge("openat", 3, 0, os.O_CREAT, mode) == DENIED
    assert judge("openat", 3, 0, os.O_RDONLY, mode) == ALLOW  # the mode is not looked at then
    assert judge("openat", 3, 0, os.O_TMPFILE, mode) == DENIED


def test_terminals_cannot_be_typed_into(judge: Filter) -> None:
    assert [judge("ioctl", 0, request) for request in (0x5412, 0x541C, 0x5413)] == [DENIED, DENIED, ALLOW]


def test_a_process_can_lower_its_own_limits_only(judge: Filter) -> None:
    assert judge("prlimit64", 0) == ALLOW
    assert judge("prlimit64", 1) == DENIED


def test_the_limit_on_core_dumps_can_be_read_and_not_set(judge: Filter) -> None:
    assert judge("prlimit64", 0, 4, 0) == ALLOW
    assert judge("prlimit64", 0, 4, 1 << 40) == DENIED
    assert judge("prlimit64", 0, 4, 7) == DENIED
    assert judge("prlimit64", 0, 7, 7) == ALLOW
    assert judge("setrlimit", 4) == DENIED
    assert judge("setrlimit", 7) == ALLOW


def test_the_filter_is_short_enough_for_the_kernel(judge: Filter) -> None:
    assert len(judge._code) < 4096


def test_the_launcher_needs_nothing_but_the_standard_library() -> None:
    python, _ = own_python()
    modes = "import launcher.main, launcher.init, launcher.namespaces, launcher.plain"
    folder = Path(launcher.__path__[0]).parent
    program = f"import sys; sys.path.append({str(folder)!r}); {modes}; print(*sys.modules)"
    done = subprocess.run([str(python), "-I", "-S", "-c", program], env={}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    slow = {"typing", "re", "enum", "json", "pathlib", "subprocess", "socket", "signal", "novum"}
    slow |= {"os", "ctypes", "struct", "stat", "__future__"}
    assert slow & set(done.stdout.split()) == set()


def test_a_limit_is_lowered_and_never_raised() -> None:
    program = """
import resource
from novum.sandbox.launcher.kernel import lower_limit
for value in (100, 200, 50):
    lower_limit(resource.RLIMIT_NOFILE, value)
    print(resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("(100, 100)\n(100, 100)\n(50, 50)\n", "")


def test_walking_beneath_step_by_step_keeps_what_openat2_keeps(tmp_path: Path) -> None:
    # What systems without openat2 use: macOS, where the harvest runs and containers confine.
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_text("c")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "a/out").symlink_to("/etc/passwd")
    (tmp_path / "up").symlink_to("..")
    root = os.open(tmp_path, os.O_RDONLY)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        for name in ("a", "a/b", "a/b/c", ".", "a/./b/c", "a//b"):
            for way in (kernel.open_beneath(root, name, flags), kernel.walk_beneath(root, name, flags)):
                assert os.path.samestat(os.fstat(way), os.stat(tmp_path / name))
                os.close(way)
        for name in ("link/b", "a/out", "link", "up", "..", "/etc/passwd", "none", "a/b/c/d"):
            for opened in (kernel.open_beneath, kernel.walk_beneath):
                with pytest.raises(OSError, match=r"\w"):
                    opened(root, name, flags)
        made = kernel.walk_beneath(root, "a/b/new", os.O_WRONLY | os.O_CREAT | os.O_EXCL | flags, 0o600)
        os.close(made)
        with pytest.raises(FileExistsError):
            kernel.walk_beneath(root, "a/b/new", os.O_WRONLY | os.O_CREAT | os.O_EXCL | flags, 0o600)
    finally:
        os.close(root)


def test_walking_beneath_stays_on_one_file_system() -> None:
    root = os.open("/", os.O_RDONLY)
    with pytest.raises(OSError, match="another mount"):
        kernel.walk_beneath(root, "proc/version", os.O_RDONLY)
    os.close(root)


def test_an_unknown_machine_is_refused() -> None:
    with pytest.raises(OSError, match="riscv64"):
        kernel.architecture("riscv64")


def test_an_error_of_the_kernel_names_the_call() -> None:
    with pytest.raises(OSError, match="openat2: No such file") as caught:
        kernel.open_beneath(os.open("/", os.O_PATH), "nowhere")
    assert caught.value.errno == errno.ENOENT


def test_uids_are_high_and_differ() -> None:
    uids = {free_uid() for _ in range(50)}
    assert len(uids) > 45
    assert min(uids) > 60_000
    assert max(uids) < 1 << 31


def test_importing_the_launcher_has_no_effect() -> None:
    program = "import novum.sandbox.launcher.main, os; print(os.getppid() > 0)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\n", "")
