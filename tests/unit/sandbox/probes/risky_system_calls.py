import ctypes
from probe import contained, harm, libc

calls = {
    "io_uring_setup": 425,
    "bpf": 321,
    "perf_event_open": 298,
    "userfaultfd": 323,
    "keyctl": 250,
    "add_key": 248,
    "request_key": 249,
    "ptrace": 101,
    "process_vm_readv": 310,
    "process_vm_writev": 311,
    "kcmp": 312,
    "open_by_handle_at": 304,
    "name_to_handle_at": 303,
    "fanotify_init": 300,
    "init_module": 175,
    "finit_module": 313,
    "kexec_load": 246,
    "kexec_file_load": 320,
    "pivot_root": 155,
    "chroot": 161,
    "swapon": 167,
    "acct": 163,
    "quotactl": 179,
    "syslog": 103,
    "open_tree": 428,
    "fsopen": 430,
    "mount_setattr": 442,
    "move_mount": 429,
    "setns": 308,
    "modify_ldt": 154,
    "iopl": 172,
    "reboot": 169,
    "sethostname": 170,
    "settimeofday": 164,
    "clock_settime": 227,
    "adjtimex": 159,
    "vhangup": 153,
    "move_pages": 279,
    "memfd_secret": 447,
    "process_madvise": 440,
}
allowed = []
for name, number in calls.items():
    ctypes.set_errno(0)
    result = libc.syscall(number, 0, 0, 0, 0, 0, 0)
    if result >= 0 or ctypes.get_errno() not in (1, 38):
        allowed.append(f"{name}: {result} {ctypes.get_errno()}")
harm(f"{allowed}") if allowed else contained(f"{len(calls)} refused")
