"""Where the figures come from, and which core each side gets."""

import contextlib
import datetime
import os
import platform


def _read(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return None


def cores():
    """(client's, simulator's). With one core only they share it, and the figures say so."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[min(1, len(allowed) - 1)]


@contextlib.contextmanager
def only_on(*some_cores):
    """Programs started meanwhile stay on these cores. Unlike taskset in front of them, it adds nothing to their start."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, some_cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def ticks():
    """(stolen by the hypervisor, all) of all cores since the machine's start."""
    fields = [int(field) for field in (_read("/proc/stat") or "cpu 0 0 0 0 0 0 0 0").splitlines()[0].split()[1:9]]
    return fields[7], sum(fields)


def stolen_pct(since):
    """Share of the machine's time that the hypervisor took since a call of ticks()."""
    stolen, total = ticks()
    return (stolen - since[0]) * 100 / max(1, total - since[1])


def description():
    model = next(
        (line.split(":", 1)[1].strip() for line in (_read("/proc/cpuinfo") or "").splitlines() if "model name" in line),
        platform.machine(),
    )
    client, server = cores()
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "not told",
        "load_before": os.getloadavg()[0],
        "client_core": client,
        "simulator_core": server,
    }
