"""Benchmarks in which clients read streams: cost, delay, scale and throughput."""

from dataclasses import replace

from harness.clients import Load, c_peers, measured_and_not
from harness.measured_run import measure
from harness.table import comparison, markdown, number

REFERENCE = "raw_epoll"


def _interleaved(plan, load):
    """All clients under one load, `repeats` times, each time beginning with another one."""
    rows = []
    for turn in range(plan.repeats):
        shift = turn % len(plan.clients)
        for client in plan.clients[shift:] + plan.clients[:shift]:
            plan.say(f"{client.name}: {load.agents} agents, run {turn + 1} of {plan.repeats}")
            rows.append(measure(plan.paths, client, load))
    return rows


def _notes(rows):
    notes = []
    for row in rows:
        if "failed" in row:
            notes.append(f"{row['client']}: {row['failed']}")
        elif row["errors"]:
            notes.append(f"{row['client']}: {row['errors']} errors")
        elif limited_by_server(row):
            notes.append(f"{row['client']}, {row['agents']} agents: server-limited (the simulator was late)")
    return "".join(["\n" if notes else "", *(f"\n- {note}" for note in dict.fromkeys(notes))])


def limited_by_server(row):
    """The simulator sent too late, or had no time left: the figures are its own."""
    return row.get("simulator_late_us_p99", 0) > 10_000 or row.get("simulator_busy_pct", 0) > 95


def paced_cost(plan):
    """CPU time for each token: 100 agents x 50 tok/s"""
    load = Load(plan.scaled(100, 10), 50, plan.scaled(200, 60))
    rows = _interleaved(plan, load)
    columns = [("cpu_us_per_token", "CPU us/token"), ("delay_us_p99", "delay p99 us")]
    return rows, comparison(rows, columns, REFERENCE) + _notes(rows)


def measurement(plan):
    """CPU time for each token with the timing of polls and pieces, and without: 100 agents x 50 tok/s"""
    clients = measured_and_not(plan.paths)
    rows = _interleaved(replace(plan, clients=clients), Load(plan.scaled(100, 10), 50, plan.scaled(200, 60)))
    return rows, comparison(rows, [("cpu_us_per_token", "CPU us/token")], clients[0].name) + _notes(rows)


def delivery_delay(plan):
    """Stamp of sending -> recorded: 1000 agents x 20 tok/s"""
    load = Load(plan.scaled(1000, 20), 20, plan.scaled(100, 24), ramp_s=plan.scaled(1, 0))
    rows = _interleaved(plan, load)
    columns = [("delay_us_p50", "delay p50 us"), ("delay_us_p99", "delay p99 us"), ("delay_us_max", "max us")]
    return rows, comparison(rows, columns, REFERENCE) + _notes(rows)


def _broken(row):
    """Why a load was too much; None if it was not."""
    if "failed" in row or row["errors"]:
        return "failed"
    if row["delay_us_p99"] > 10_000:
        return f"p99 {number(row['delay_us_p99'] / 1000)} ms"
    if row["wall_s"] > 1.01 * row["ideal_wall_s"]:
        return f"wall {row['wall_s'] / row['ideal_wall_s']:.2f}x"
    return None


def _settled(plan, client, load):
    """The rows of one load; the last one decides. The machine may spoil one run, so a load breaks in two of three."""
    rows = [measure(plan.paths, client, load)]
    while _broken(rows[-1]) and len(rows) < 2:
        rows.append(measure(plan.paths, client, load))
    if len(rows) == 2 and not _broken(rows[-1]):
        rows.append(measure(plan.paths, client, load))
    return rows


def scaling(plan):
    """20 tok/s each, more and more agents, until p99 is over 10 ms or the wall time over 101 % of ideal in two runs of three"""
    steps = plan.scaled([100, 500, 1000, 2000, 3000, 4000, 5000], [10, 20])
    rows, lines = [], []
    for client in plan.clients:
        line = [client.name]
        for agents in steps:
            plan.say(f"{client.name}: {agents} agents")
            tried = _settled(plan, client, Load(agents, 20, plan.scaled(100, 20), ramp_s=agents / 2000))
            rows += tried
            row = tried[-1]
            why = _broken(row)
            if why:
                line.append(f"{why}{' (server-limited)' if limited_by_server(row) else ''}")
                break
            line.append(f"{number(row['delay_us_p99'] / 1000)} ms, {number(row.get('rss_mb'))} MB")
        lines.append(line + ["-"] * (len(steps) + 1 - len(line)))
    return rows, markdown(["client", *(f"{n} agents" for n in steps)], lines) + "\n\nDelay p99 and resident memory."


def throughput(plan):
    """Unpaced: 8 streams, as fast as the client takes them"""
    load = Load(8, 0, plan.scaled(100_000, 2_000))
    rows = _interleaved(plan, load)
    for row in rows:
        if "failed" not in row:
            row["tokens_per_s"] = row["tokens"] / row["wall_s"]
    return rows, comparison(rows, [("tokens_per_s", "tokens/s")], REFERENCE) + _notes(rows)


def memory(plan):
    """Resident memory while streaming 2 tok/s each"""
    few, many = 2, plan.scaled(5000, 50)
    rows, lines = [], []
    for client in plan.clients:
        resident = {}
        for agents in (few, many):
            plan.say(f"{client.name}: {agents} agents")
            row = measure(plan.paths, client, Load(agents, 2, plan.scaled(12, 4), ramp_s=agents / 2000))
            rows.append(row)
            resident[agents] = row.get("rss_mb")
        each = None if None in resident.values() else (resident[many] - resident[few]) * 1024 / (many - few)
        lines.append([client.name, number(resident[few]), number(resident[many]), number(each)])
    return rows, markdown(["client", f"MB at {few} agents", f"MB at {many}", "KB for each agent"], lines)


def ceiling(plan):
    """The simulator's own limit, so that it is never measured by mistake: most tokens/s that it sends to a reader that does hardly more than read (raw_epoll)"""
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
