"""Watching the memory of GPUs, against a library that stands for the driver's."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from sandboxes import LIMITS, Run

from novum.errors import SandboxError
from novum.sandbox import Access, Sandbox, confined, policy
from novum.sandbox.gpu import GpuMemory

DRIVER = """
#include <stdio.h>
#include <stdint.h>
typedef struct { unsigned long long total, free, used; } memory;
int nvmlInit_v2(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **device) { *device = (void *)(uintptr_t)(10 + i); return 0; }
int nvmlDeviceGetMinorNumber(void *device, unsigned *minor) { *minor = 11 - (uintptr_t)device; return 0; }
int nvmlDeviceGetMemoryInfo(void *device, memory *m) {
    FILE *file = fopen(USED, "r");
    unsigned long long first = 0, second = 0;
    if (!file || fscanf(file, "%llu %llu", &first, &second) != 2) return 999;
    fclose(file);
    m->used = (uintptr_t)device == 11 ? first : second;  /* the nodes are numbered the other way round */
    return 0;
}
"""


@pytest.fixture
def driver(tmp_path: Path) -> tuple[str, Path]:
    """The library, and the file that says what two GPUs hold."""
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    used = tmp_path / "used"
    used.write_text("1000 2000")
    library = tmp_path / "libnvml.so"
    command = ["gcc", "-shared", "-fPIC", f'-DUSED="{used}"', "-x", "c", "-", "-o", str(library)]
    subprocess.run(command, input=DRIVER, text=True, check=True)
    return str(library), used


def test_what_is_taken_since_the_start_counts(driver: tuple[str, Path]) -> None:
    library, used = driver
    first, both = GpuMemory((0,), library), GpuMemory((0, 1), library)
    assert (first.taken(), both.taken()) == (0, 0)
    used.write_text("1500 2100")
    assert (first.taken(), both.taken()) == (500, 600)
    used.write_text("100 2100")  # another program has ended
    assert (first.taken(), both.taken()) == (0, 100)


def test_a_gpu_that_the_driver_does_not_know_is_refused(driver: tuple[str, Path]) -> None:
    with pytest.raises(SandboxError, match="cannot be watched") as caught:
        GpuMemory((7,), driver[0])
    assert "GPU 7" in caught.value.why


def test_a_driver_that_fails_is_refused(driver: tuple[str, Path]) -> None:
    driver[1].write_text("none")
    with pytest.raises(SandboxError, match="cannot be watched"):
        GpuMemory((0,), driver[0])


def test_no_driver_at_all_is_refused_when_there_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("novum.sandbox.gpu.LIBRARY", "libno-such-driver.so")
    with pytest.raises(SandboxError, match="cannot be watched"):
        GpuMemory((0,), "libno-such-driver.so")
    assert confined._gpus(Access()) is None
    assert confined._gpus(Access(gpus=(0,))) is None
    with pytest.raises(SandboxError):
        confined._gpus(Access(gpus=(0,), gpu_memory_bytes=1))


def test_a_run_over_its_gpu_memory_is_stopped(
    sandbox: Sandbox, python: Run, driver: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    library, used = driver
    monkeypatch.setattr(policy, "gpu_devices", lambda access: ())
    monkeypatch.setattr(confined, "GpuMemory", lambda numbers: GpuMemory(numbers, library))

    def grow(stream: str, data: bytes) -> None:
        used.write_text(f"{1000 + (300 << 20)} 2000")

    command = ["/bin/sh", "-c", "echo begun; sleep 30"]
    access = Access(gpus=(0,), gpu_memory_bytes=256 << 20)
    work = used.parent / "gpu-work"
    work.mkdir()
    outcome = sandbox.run(command, work, LIMITS, access, grow)
    assert outcome.ended == "memory"
    assert "300.0 MiB of GPU memory; the limit is 256.0 MiB" in outcome.message
    assert outcome.peak_gpu_bytes == 300 << 20


def test_the_devices_of_a_gpu_are_its_own_and_the_shared_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"/dev/nvidia0", "/dev/nvidia1", "/dev/nvidiactl", "/dev/nvidia-uvm"}
    monkeypatch.setattr(Path, "exists", lambda path: str(path) in there)
    found = policy.gpu_devices(Access(gpus=(1,)))
    assert found == ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia1")
    assert policy.gpu_devices(Access()) == ()
