"""Memory of the GPUs that a run was given, as the driver's own library (NVML) counts it.

The kernel bounds no such memory, so it can only be watched. A GPU is counted as a whole, less what it held at the
start: another program on the same GPU counts too. Not covered: other makers' devices.
"""

from __future__ import annotations

import ctypes

from novum.errors import SandboxError

LIBRARY = "libnvidia-ml.so.1"


class _Memory(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]


class GpuMemory:
    """What has been taken of the memory of some GPUs since this was made."""

    def __init__(self, numbers: tuple[int, ...], library: str = LIBRARY) -> None:
        """`numbers` are those of the device nodes, /dev/nvidiaN.

        Raises:
            SandboxError: the driver's library is missing, refuses, or does not know one of them.
        """
        try:
            self._library = ctypes.CDLL(library)
        except OSError as error:
            raise SandboxError("the memory of the GPU cannot be watched", str(error)) from error
        self._ask("nvmlInit_v2")
        handles = self._handles()
        missing = [number for number in numbers if number not in handles]
        if missing:
            raise SandboxError("the memory of the GPU cannot be watched", f"NVML knows no GPU {missing[0]}")
        self._devices = [handles[number] for number in numbers]
        self._start = [self._used(device) for device in self._devices]

    def taken(self) -> int:
        """Bytes, over all of them."""
        used = map(self._used, self._devices)
        return sum(max(now - then, 0) for now, then in zip(used, self._start, strict=True))

    def _handles(self) -> dict[int, ctypes.c_void_p]:
        """Each device by the number of its node, which need not be NVML's own number."""
        count = ctypes.c_uint()
        self._ask("nvmlDeviceGetCount_v2", ctypes.byref(count))
        found = {}
        for index in range(count.value):
            device, minor = ctypes.c_void_p(), ctypes.c_uint()
            self._ask("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(device))
            self._ask("nvmlDeviceGetMinorNumber", device, ctypes.byref(minor))
            found[minor.value] = device
        return found

    def _used(self, device: ctypes.c_void_p) -> int:
        memory = _Memory()
        self._ask("nvmlDeviceGetMemoryInfo", device, ctypes.byref(memory))
        return int(memory.used)

    def _ask(self, name: str, *arguments: object) -> None:
        code = getattr(self._library, name)(*arguments)
        if code != 0:
            raise SandboxError("the memory of the GPU cannot be watched", f"{name} gave error {code}")
