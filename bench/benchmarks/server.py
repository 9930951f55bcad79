"""The simulator's own limits, so that it is never what is measured."""

from harness.clients import Load, c_peers
from harness.measured_run import measure
from harness.table import comparison


def ceiling(plan):
    """Most tokens/s that the simulator sends to a reader that does hardly more than read (raw_epoll)"""
    reader = c_peers(plan.paths)[0]
    if reader.missing():
        return [], f"skipped: {reader.missing()}"
    rows = []
    for _ in range(plan.repeats):
        for name, load in (
            ("paced, one send for each token", Load(plan.scaled(2000, 50), 500, plan.scaled(200, 50))),
            ("unpaced, 8 streams", Load(8, 0, plan.scaled(200_000, 2_000))),
        ):
            plan.say(f"simulator: {name}")
            row = measure(plan.paths, reader, load)
            if "failed" not in row:
                row["tokens_per_s"] = row["tokens"] / row["wall_s"]
                row["tokens_per_cpu_s"] = row["tokens"] / row["simulator_cpu_s"]
            rows.append(row | {"client": name})
    columns = [("tokens_per_s", "tokens/s"), ("tokens_per_cpu_s", "tokens per second of its CPU")]
    return rows, comparison(rows, columns, "unpaced, 8 streams")
