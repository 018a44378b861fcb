import os, time

# The child holds the output open; a harness that waits for its end would wait with it.
if os.fork():
    print("done", flush=True)
    os._exit(0)
os.setsid()
time.sleep(30)
