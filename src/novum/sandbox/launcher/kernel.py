"""Kernel interfaces that the standard library lacks, by `syscall` of the C library. Linux on x86-64 and aarch64."""

import _struct as struct
import errno
import posix as os
import sys
from _ctypes import (
    FUNCFLAG_CDECL,
    FUNCFLAG_USE_ERRNO,
    CFuncPtr,
    _SimpleCData,
    addressof,
    dlopen,
    dlsym,
    get_errno,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes import Array

NUMBERS: dict[str, tuple[int, int]] = {
    # name: (x86-64, aarch64); -1 where the architecture has no such call
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "capset": (126, 91),
    "chmod": (90, -1),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "creat": (85, -1),
    "delete_module": (176, 106),
    "fallocate": (285, 47),
    "fanotify_init": (300, 262),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "io_setup": (206, 0),
    "ioctl": (16, 29),
    "ioperm": (173, -1),
    "iopl": (172, -1),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "landlock_add_rule": (445, 445),
    "landlock_create_ruleset": (444, 444),
    "landlock_restrict_self": (446, 446),
    "lookup_dcookie": (212, 18),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "mknod": (133, -1),
    "mknodat": (259, 33),
    "modify_ldt": (154, -1),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open": (2, -1),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "openat": (257, 56),
    "openat2": (437, 437),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "prctl": (157, 167),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "prlimit64": (302, 261),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "renameat2": (316, 276),
    "request_key": (249, 218),
    "semget": (64, 190),
    "setdomainname": (171, 162),
    "setgroups": (116, 159),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "setresgid": (119, 149),
    "setresuid": (117, 147),
    "setrlimit": (160, 164),
    "settimeofday": (164, 170),
    "shmget": (29, 194),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, -1),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
    "vmsplice": (278, 75),
}
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Machine: column of `NUMBERS`, and the audit architecture that seccomp reports."""

# unshare(2)
NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET, NEWTIME = 0x10000000, 0x20000000, 0x40000000, 0x80
CLONE_FS = 0x200
# mount(2)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
# mount_setattr(2)
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV, ATTR_NOEXEC = 1, 2, 4, 8
# prctl(2)
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_SECCOMP = 1, 4, 24, 22
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 36, 38, 47
# openat2(2)
RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH = 1, 2, 4, 8
_MAKES = os.O_ACCMODE | os.O_CREAT | os.O_EXCL | os.O_TRUNC | os.O_APPEND
"""Flags that are for the last part of a path only."""


class _Long(_SimpleCData):  # type: ignore[type-arg]
    _type_ = "l"


class _Letter(_SimpleCData):  # type: ignore[type-arg]
    _type_ = "c"


class _Function(CFuncPtr):
    _flags_ = FUNCFLAG_CDECL | FUNCFLAG_USE_ERRNO
    _restype_ = _Long


_SYSCALL = _Function(dlsym(dlopen(None, 0), "syscall"))  # type: ignore[arg-type]


def architecture(machine: str = "") -> tuple[int, int]:
    """The column of `NUMBERS` and the audit architecture of `machine`, by default of this one.

    Raises:
        OSError: the machine is neither x86-64 nor aarch64.
    """
    machine = machine or os.uname().machine
    if machine not in ARCHITECTURES:
        raise OSError(f"the system call numbers of {machine} are not known")
    return ARCHITECTURES[machine]


def number(name: str) -> int:
    """The number of a system call on this machine, -1 when it has none."""
    return NUMBERS[name][architecture()[0]]


def syscall(name: str, *arguments: "int | bytes | Array[_Letter] | None") -> int:
    """Make a system call; its result, or an OSError that names it."""
    converted = [_Long(a) if isinstance(a, int) else a for a in arguments]
    result: int = _SYSCALL(_Long(number(name)), *converted)
    if result < 0:
        code = get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def unshare(flags: int) -> None:
    """Leave the namespaces in `flags` for new ones."""
    syscall("unshare", flags)


def become_for_now(uid: int) -> None:
    """Give this thread alone the user and group `uid`, and no other group; from there it can still become root again.

    The C library would change every thread.
    """
    syscall("setresuid", -1, 0, -1)  # only root may change the others
    syscall("setgroups", 0, None)
    syscall("setresgid", uid, uid, 0)
    syscall("setresuid", uid, uid, 0)


def lower_limit(limit: int, value: int) -> None:
    """Set a limit of this process, or keep it where it is lower already: nobody may raise one here."""
    now = (_Letter * 16)()
    syscall("prlimit64", 0, limit, None, now)
    value = min(value, struct.unpack("=QQ", bytes(memoryview(now)))[1])  # no limit is the largest number
    syscall("prlimit64", 0, limit, struct.pack("=QQ", value, value), None)


def mount(source: str | None, target: str, kind: str | None = None, flags: int = 0, data: str = "") -> None:
    """mount(2); an error names the target."""
    try:
        syscall("mount", _path(source or "none"), _path(target), _path(kind or "none"), flags, _path(data))
    except OSError as error:
        code = error.errno or 0
        raise OSError(code, f"mount {kind or source} at {target}: {os.strerror(code)}") from None


def set_attributes(target: str, attributes: int, recursive: bool = True) -> None:
    """Add mount attributes, to all mounts below `target` when `recursive`."""
    at_recursive = 0x8000 if recursive else 0
    request = struct.pack("=QQQQ", attributes, 0, 0, 0)
    syscall("mount_setattr", -100, _path(target), at_recursive, request, len(request))


def bind(source_fd: int, target: str, attributes: int, recursive: bool = True) -> None:
    """Show the file or folder behind `source_fd` at `target`, with `attributes`."""
    mount(f"/proc/self/fd/{source_fd}", target, None, MS_BIND | (MS_REC if recursive else 0))
    if attributes:
        set_attributes(target, attributes, recursive)


def pivot_to(folder: str) -> None:
    """Make `folder` the root and forget the old one."""
    os.chdir(folder)
    syscall("pivot_root", b".", b".")
    syscall("umount2", b".", 2)  # MNT_DETACH
    os.chdir("/")


def prctl(option: int, *values: int) -> None:
    """prctl(2); unused arguments are zero."""
    syscall("prctl", option, *values, *([0] * (4 - len(values))))


def drop_bounding() -> None:
    """Empty the bounding set of capabilities, so that no program can bring one. Before any change of user."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            break  # EINVAL: the kernel knows no more; EPERM: whoever started this has dropped them


def drop_capabilities() -> None:
    """Empty the other four capability sets, for good."""
    prctl(PR_CAP_AMBIENT, 4)
    syscall("capset", struct.pack("=Ii", 0x20080522, 0), bytes(24))


def install_filter(program: bytes) -> None:
    """Filter the system calls of this process and its children from now on. Needs no_new_privs."""
    buffer = (_Letter * len(program)).from_buffer_copy(program)
    header = struct.pack("=HxxxxxxQ", len(program) // 8, addressof(buffer))
    syscall("prctl", PR_SET_SECCOMP, 2, header, 0, 0)


def open_beneath(folder_fd: int, name: str, flags: int = os.O_RDONLY, mode: int = 0) -> int:
    """Open `name` below `folder_fd`, through no link of any kind, no other mount, and without waiting.

    Raises:
        OSError: it is missing, a link, a socket, outside, on another mount ...
    """
    flags |= os.O_NOFOLLOW | os.O_CLOEXEC
    if not flags & getattr(os, "O_PATH", 0):  # which goes with no other flags, and gives a link itself
        flags |= os.O_NONBLOCK | os.O_NOCTTY
    if os.uname().sysname != "Linux":
        return walk_beneath(folder_fd, name, flags, mode)
    resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV
    how = struct.pack("=QQQ", flags, mode, resolve)
    return syscall("openat2", folder_fd, _path(name), how, len(how))


def walk_beneath(folder_fd: int, name: str, flags: int, mode: int = 0) -> int:
    """`open_beneath` where the kernel has no openat2: step by step, so that no step can be a link or a mount.

    Raises:
        OSError: as `open_beneath`.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts:
        raise OSError(errno.EXDEV, "not below the folder", name)
    device = os.fstat(folder_fd).st_dev
    fd = os.dup(folder_fd)
    for step, part in enumerate(parts or ["."], start=1):
        last = step >= len(parts)
        try:
            below = os.open(
                part, flags if last else os.O_RDONLY | os.O_DIRECTORY | flags & ~_MAKES, mode, dir_fd=fd
            )
        finally:
            os.close(fd)
        fd = below
        if os.fstat(fd).st_dev != device:
            os.close(fd)
            raise OSError(errno.EXDEV, "on another mount", name)
    return fd


def _path(text: str) -> bytes:
    return text.encode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()) + b"\0"
