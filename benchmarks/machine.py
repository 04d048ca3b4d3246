"""The machine that was measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from benchmarks import peers


def describe() -> dict[str, str]:
    """What a reader of the table needs to know."""
    found = {
        "processor": _field("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "CPUs in use": f"{peers.threads()} of {os.cpu_count()}",
        "caches": _caches(),
        "memory": _memory(),
        "system": platform.platform(),
    }
    return {key: value for key, value in found.items() if value}


def _field(path: str, key: str) -> str:
    """The value of the first line `key: value` of a file; empty where there is none."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _caches() -> str:
    """Levels and sizes of the data caches of the first CPU."""
    found = []
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (Path(index, name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return ", ".join(found)


def _memory() -> str:
    kilobytes = _field("/proc/meminfo", "MemTotal").removesuffix("kB").strip()
    return f"{int(kilobytes) / 2**20:.0f} GiB" if kilobytes else ""
