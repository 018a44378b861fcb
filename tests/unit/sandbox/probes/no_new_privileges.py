from probe import contained, harm

with open("/proc/self/status") as file:
    status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
if status["NoNewPrivs"].strip() != "1" or status["Seccomp"].strip() != "2":
    harm("new privileges or no filter")
contained()
