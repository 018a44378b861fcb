from probe import attempt, contained, read

for path in ("/dev/kmsg", "/dev/mem", "/sys/kernel/debug", "/sys/firmware/dmi/tables/DMI", "/boot/vmlinuz"):
    attempt(f"read {path}", read, path)
for path in ("/proc/kcore", "/proc/kmsg", "/proc/keys", "/proc/kallsyms"):
    try:
        text = read(path)
    except OSError:
        continue
    if text.strip(b"\0 \n"):
        attempt(f"read {path}", lambda: text)
contained()
