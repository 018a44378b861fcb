import os
from probe import attempt, contained

for base, folders, files in os.walk("/proc/sys"):
    for name in files:
        attempt(f"opened {base}/{name} for writing", os.open, os.path.join(base, name), os.O_WRONLY)
for path in (
    "/proc/sysrq-trigger",
    "/proc/self/uid_map",
    "/proc/self/setgroups",
    "/proc/1/oom_score_adj",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/devices/system/cpu/cpu0/online",
    "/proc/irq/default_smp_affinity",
    "/proc/acpi/wakeup",
    "/proc/mtrr",
    "/proc/timer_stats",
):
    attempt(f"opened {path} for writing", lambda path=path: os.write(os.open(path, os.O_WRONLY), b"0"))
contained()
