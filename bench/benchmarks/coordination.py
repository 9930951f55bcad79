"""A group's messages and decisions: chimera-host by its profiles, the reported system's shape on quinn, and the floor of UDP."""

import contextlib
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

from harness import machine
from harness.table import comparison, markdown, spread

COLUMNS = [
    ("ms_per_100_cycles", "ms of 100 cycles"),
    ("round_trip_us", "us of a round trip, p50"),
    ("decision_us", "us of a decision, p50"),
]

# client: profile, settings
HOST = {
    "cured": ("coordination", {}),
    "reported": ("coordination_reported", {}),
    "local": ("coordination_local", {}),
    "256_bytes": ("coordination", {"message_bytes": 256, "answer_bytes": 256, "in_flight": 1}),
    "signed": ("coordination", {"decisions": "{ critical = 4 }"}),
    "one_fast": ("coordination", {"messages": 1, "decisions": "{ low = 1 }"}),
    "one_signed": ("coordination", {"messages": 1, "decisions": "{ critical = 1 }"}),
    "straggler": ("coordination", {"straggler_ms": 5}),
    "loss": ("coordination", {"coordinator.options.link.loss_pct": 1}),
}

# What is to be reached, of the rows of one round: title, value, "at most" or "at least", target.
TARGETS = [
    ("100 cycles, cured / quinn", lambda r: over(r, "ms_per_100_cycles", "cured", "quinn"), "at most", 0.35),
    ("the same, stretch", lambda r: over(r, "ms_per_100_cycles", "cured", "quinn"), "at most", 0.15),
    ("100 cycles, reported / cured", lambda r: over(r, "ms_per_100_cycles", "reported", "cured"), "at least", 4.9),
    ("round trip of 256 B, QUIC / UDP", lambda r: over(r, "round_trip_us", "256_bytes", "udp"), "at most", 1.8),
    ("fast decision, us", lambda r: r["one_fast"]["decision_us"], "at most", 150),
    ("signed decision, us", lambda r: r["one_signed"]["decision_us"], "at most", 1000),
    ("fast decision, one of four at once, us", lambda r: r["cured"]["decision_us"], "at most", 150),
    ("signed decision, one of four at once, us", lambda r: r["signed"]["decision_us"], "at most", 1000),
    ("fast decision, straggler of 5 ms / none", lambda r: over(r, "decision_us", "straggler", "cured"), "at most", 1.8),
    ("p99 of a cycle, 1 % loss - none, ms", lambda r: r["loss"]["cycle_ms_p99"] - r["cured"]["cycle_ms_p99"], "at most", 3),
]


def over(rows, key, one, other):
    return rows[one][key] / rows[other][key]


def output_of(command):
    """Its JSON, or {"failed": why}. On one core."""
    with machine.only_on(machine.cores()[0]):
        try:
            done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300)
        except (OSError, subprocess.TimeoutExpired) as e:
            return {"failed": str(e)}
    if done.returncode != 0 or not done.stdout:
        return {"failed": (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]}
    return json.loads(done.stdout)


def host_row(plan, profile, settings, folder):
    command = [plan.paths.bin / "chimera-host", "run", "--profile", plan.paths.root / "profiles" / f"{profile}.toml"]
    command += ["--json", "--ui", "none", "--output-dir", folder, "--runs", 1, "--warmup", 0]
    settings = {"cycles": plan.scaled(200, 20)} | settings
    for key, value in settings.items():
        command += ["--set", f"{key if '.' in key else 'workload.coordination.' + key}={value}"]
    summary = output_of(command)
    if "failed" in summary:
        return summary
    if summary["errors"]:
        return {"failed": str(summary["errors"][0])}
    metrics = summary["metrics"]
    fast, slow = metrics["fast_decision_us"]["p50"], metrics["slow_decision_us"]["p50"]
    return {
        "ms_per_100_cycles": metrics["hundred_cycles_ms"]["p50"],
        "round_trip_us": metrics["round_trip_us"]["p50"],
        "decision_us": slow if fast is None else fast,
        "cycle_ms_p99": metrics["cycle_ms"]["p99"],
    }


def peer_of(plan):
    return plan.paths.made / "cargo" / "release" / "quinn_peer"


def quinn_row(plan, folder):
    certificate, key = folder / "hub.der", folder / "hub_key.der"
    if not certificate.exists():
        with contextlib.suppress(OSError):
            make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"]
            subprocess.run([*make, "-keyout", folder / "hub_key.pem", "-outform", "DER", "-out", certificate], capture_output=True)
            pkcs8 = ["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", folder / "hub_key.pem", "-outform", "DER", "-out", key]
            subprocess.run(pkcs8, capture_output=True)
    command = [peer_of(plan), "--certificate", certificate, "--key", key]
    row = output_of([*command, "--cycles", plan.scaled(200, 20)])
    if "failed" in row:
        return row
    handshakes = output_of([*command, "--handshakes", plan.scaled(2, 0.2)])
    return {
        "ms_per_100_cycles": row["ms_per_100_cycles"],
        "round_trip_us": row["round_trip_us_p50"],
        "decision_us": row["decision_us_p50"],
    } | handshakes


def floor_rows(plan):
    both = output_of([plan.paths.bin / "udp_floor", plan.scaled(50000, 2000)])
    if "failed" in both:
        return {"udp": both, "tcp": both}
    return {name: {"round_trip_us": both[f"{name}_rtt_us_p50"]} for name in ("udp", "tcp")}


def verdicts(rounds):
    lines = []
    for title, value, rule, target in TARGETS:
        values = []
        for one in rounds:
            with contextlib.suppress(KeyError, TypeError):  # a run that this needs has failed
                values.append(value(one))
        verdict = "not measured"
        if values:
            middle = statistics.median(values)
            verdict = "met" if (middle <= target if rule == "at most" else middle >= target) else "missed"
        lines.append([title, spread(values), f"{rule} {target}", verdict])
    return markdown(["target", "measured", "wanted", ""], lines)


def coordination(plan):
    """Four members and a hub on one core; targets by the ratios within a round. quinn, with --peers: the reported shape, unsigned"""
    rounds = []
    with tempfile.TemporaryDirectory(prefix="chimera_bench_") as made:
        for turn in range(plan.repeats):
            plan.say(f"coordination: round {turn + 1} of {plan.repeats}")
            rows = floor_rows(plan)
            if peer_of(plan).exists():
                rows["quinn"] = quinn_row(plan, Path(made))
            for name, (profile, settings) in HOST.items():
                rows[name] = host_row(plan, profile, settings, made)
            rounds.append(rows)
    flat = [{"client": name} | row for one in rounds for name, row in one.items()]
    handshakes = [row["handshakes_per_s"] for row in flat if "handshakes_per_s" in row]
    failures = sorted({f"{row['client']}: {row['failed']}" for row in flat if "failed" in row})
    text = comparison(flat, COLUMNS, "quinn") + "\n\n" + verdicts(rounds)
    text += f"\n\nHandshakes of quinn, both ends on this core: {spread(handshakes)} in a second."
    return flat, "\n".join([text, *failures])
