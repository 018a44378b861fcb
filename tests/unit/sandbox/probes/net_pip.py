import subprocess, sys
from probe import contained, harm

done = subprocess.run(
    [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-input",
        "--retries",
        "0",
        "--timeout",
        "2",
        "six==1.16.0",
        "--target",
        "/tmp/pip",
    ],
    capture_output=True,
)
harm("installed a package") if done.returncode == 0 else contained()
