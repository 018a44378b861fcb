"""One user of the cores at a time, over threads and processes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from novum.errors import ModelError
from novum.llm.cores import Cores

HOLDER = """
import sys, time
from pathlib import Path
from novum.llm.cores import Cores
with Cores(Path(sys.argv[1])).held(lambda _: None):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def hold(path: Path, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_another_process_is_waited_for_with_one_notice(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    notices: list[str] = []
    with hold(path, 1.6), Cores(path).held(notices.append):
        pass
    assert len(notices) == 1 and "waiting" in notices[0]


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with hold(path, 60) as process:
        process.kill()
        process.wait()
        started = time.monotonic()
        with Cores(path).held(lambda _: None):
            assert time.monotonic() - started < 1


def test_the_holder_may_take_it_again_and_others_wait(tmp_path: Path) -> None:
    cores = Cores(tmp_path / "sub" / "lock")
    order: list[str] = []

    def other() -> None:
        with cores.held(lambda _: None):
            order.append("other")

    thread = threading.Thread(target=other)
    with cores.held(lambda _: None), cores.held(lambda _: None):
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(5)
    assert order == ["first", "other"]


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="NOVUM_CACHE"), Cores(tmp_path / "file" / "lock").held(print):
        pass
