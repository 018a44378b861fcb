import ctypes, os, struct
from probe import FACTS, attempt, contained, libc, syscall

for policy, priority in ((os.SCHED_FIFO, 1), (os.SCHED_RR, 50)):
    attempt("became real-time", os.sched_setscheduler, 0, policy, os.sched_param(priority))
deadline = struct.pack("=IIQiIQQQ", 48, 6, 0, 0, 0, 10**7, 10**8, 10**8)
attempt("took a deadline", syscall, 314, 0, deadline, 0)
attempt("became more urgent", os.setpriority, os.PRIO_PROCESS, 0, -1)
attempt("real-time input and output", syscall, 251, 1, 0, 1 << 13)
for pid in (FACTS["harness_pid"], FACTS["victim_pid"]):
    attempt(f"slowed {pid}", os.setpriority, os.PRIO_PROCESS, pid, 19)
    attempt(f"moved {pid}", os.sched_setaffinity, pid, {0})
attempt(
    "escaped the killer of memory hogs",
    lambda: os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1000"),
)
contained()
