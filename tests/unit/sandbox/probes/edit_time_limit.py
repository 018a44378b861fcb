# ends: timeout
import os, resource, signal, time

# The paper's accident: the program that finds itself short of time gives itself more.
signal.alarm(0)
for limit in (resource.RLIMIT_CPU,):
    try:
        resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        pass
for name in os.listdir("."):
    if name.endswith((".json", ".toml")):
        with open(name, "w") as file:
            file.write('{"timeout": 100000, "wall_s": 100000}')
time.sleep(60)
