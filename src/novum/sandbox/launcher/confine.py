"""What a process does to itself before it becomes the payload, and the process 1 that watches over it."""

import _signal  # type: ignore[import-not-found]
import posix as os

from . import kernel, landlock
from .kernel import prctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from .control import Control


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent, which must be `parent`, ends."""
    prctl(kernel.PR_SET_PDEATHSIG, _signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(70)


def run_as_init(control: "Control", spec: "dict[str, Any]") -> "NoReturn":
    """Be process 1: start the payload when the supervisor says go, reap what is orphaned, report how it ended, end.

    When process 1 of a namespace ends, the kernel kills every other process in it.
    """
    account = _open_account()
    prctl(kernel.PR_SET_DUMPABLE, 0)
    # Python handles it, and what process 1 handles can be sent to it from inside. By default the kernel drops it there.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        become_payload(control, spec)
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    kernel.drop_bounding()
    kernel.drop_capabilities()
    while True:
        pid, status = os.wait()
        if pid == child:
            break
    told = f"{_tasks_left()} {_written(account)}"
    if os.WIFSIGNALED(status):
        control.say("signal", f"{os.WTERMSIG(status)} {told}")
    else:
        control.say("exit", f"{os.WEXITSTATUS(status)} {told}")
    os._exit(0)


def _open_account() -> int:
    """What the kernel has counted of this process and of those that it reaped; it opens only while it is dumpable."""
    try:
        return os.open("/proc/self/io", os.O_RDONLY)
    except OSError:
        return -1  # a kernel that does not count


def _written(account: int) -> int:
    """Bytes that were given to write(2) and its like."""
    if account < 0:
        return 0
    for line in os.read(account, 4096).split(b"\n"):
        if line.startswith(b"wchar:"):
            return int(line.split()[1])
    return 0


def _tasks_left() -> int:
    """How many tasks the payload leaves behind, which die with this process."""
    left = 0
    for name in os.listdir("/proc"):
        if name.isdigit() and name != "1":
            try:
                left += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue  # it has just ended
    return left


def become_payload(control: "Control", spec: "dict[str, Any]", parent: int | None = None) -> "NoReturn":
    """Give up everything, wait for the supervisor's go and execute the payload.

    Without a namespace it dies with its `parent`, who has waited for it.
    """
    try:
        os.setsid()
        confine(spec)
        if parent is None:
            control.wait_go()
        else:
            die_with_parent(parent)
        control.say("started")
        os.execve(spec["argv"][0], spec["argv"], spec["environment"])
    except OSError as error:
        control.say("unstartable", f"{error.errno} {error}")
    except ValueError as error:  # a NUL, a lone surrogate, a name with `=`
        control.say(
            "unstartable", f"0 no program can be given such arguments or such an environment: {error}"
        )
    finally:
        os._exit(70)


def confine(spec: "dict[str, Any]") -> None:
    """Give up everything that the payload must not have. The order matters: each step needs the earlier rights."""
    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):  # which Python ignores
        _signal.signal(number, _signal.SIG_DFL)
    os.umask(0o022)
    prctl(kernel.PR_SET_DUMPABLE, 1)  # else its own files in /proc belong to root
    _prefer_for_oom_kill()
    for limit, value in spec["rlimits"].items():
        kernel.lower_limit(limit, value)
    kernel.drop_bounding()
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(spec["uid"], spec["uid"], spec["uid"])
        os.setresuid(spec["uid"], spec["uid"], spec["uid"])
    kernel.drop_capabilities()
    prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    os.chdir(spec["cwd"])
    if spec["landlock"]:
        landlock.restrict(spec["readable"], spec["writable"], spec["device_files"], spec["deny_tcp"])
    kernel.install_filter(spec["filter"])


def _prefer_for_oom_kill() -> None:
    fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    try:
        os.write(fd, b"1000")
    finally:
        os.close(fd)
