"""Google Benchmark's: the contract and the executors, without any server."""

import json
import subprocess

from harness import machine
from harness.table import comparison

EXECUTORS = ("thread_pool", "uv_pinned", "fiber", "async_std_bridge", "uring", "python_asyncio")


def _run(plan, pattern, cores, reference):
    program = plan.paths.bin / "chimera-microbench"
    if not program.exists():
        return [], "skipped: chimera-microbench is not built (libbenchmark-dev)"
    present = [e for e in EXECUTORS if (plan.paths.build / "lib" / "chimera" / f"{e}.so").exists()]
    command = [program, *present, f"--benchmark_filter={pattern}", "--benchmark_format=json"]
    command += [f"--benchmark_repetitions={plan.repeats}", "--benchmark_enable_random_interleaving=true"]
    command += [f"--benchmark_min_time={plan.scaled(0.2, 0.001)}"]
    with machine.only_on(*cores):
        report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    rows = [
        {"client": b["run_name"].split("/iterations:")[0], "ns": b["real_time"]}
        for b in report["benchmarks"]
        if b["run_type"] == "iteration"
    ]
    rows.sort(key=lambda row: row["client"])
    return rows, comparison(rows, [("ns", "ns")], reference)


def dispatch(plan):
    """One poll through a task's table against the same body inlined"""
    return _run(plan, "^poll_", machine.cores()[:1], "poll_inlined")


def executors(plan):
    """A spawned task, a yield, and a wake from another thread to the poll, one worker"""
    return _run(plan, "^(spawn|yield|wake)/", machine.cores(), "yield/thread_pool")
