import os, resource
from probe import attempt, contained, harm

for name in ("RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"):
    limit = getattr(resource, name)
    soft, hard = resource.getrlimit(limit)
    if hard == resource.RLIM_INFINITY:
        harm(f"{name} has no limit")
    attempt(f"raised {name}", resource.setrlimit, limit, (hard + 1, hard + 1))
    attempt(f"raised {name} of process 1", resource.prlimit, 1, limit, (hard + 1, hard + 1))
attempt("became more urgent", os.nice, -5)
attempt("became real-time", os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(10))
with open("/proc/self/oom_score_adj") as file:
    if int(file.read()) < 1000:
        harm("not the first to be killed when memory ends")
contained()
