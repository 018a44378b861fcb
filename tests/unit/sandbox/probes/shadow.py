from probe import attempt, contained, read

for path in (
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/ssh/ssh_host_rsa_key",
    "/etc/machine-id",
    "/var/log/dpkg.log",
    "/boot",
    "/root/.bashrc",
):
    attempt(f"read {path}", read, path)
contained()
