#!/usr/bin/env python3
"""Named benchmarks against the simulator. `./dev bench` builds what they need and calls this."""

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import coordination, costs, streaming
from harness import machine
from harness.clients import Paths, c_peers, chimera_clients, other_peers
from harness.table import markdown

BENCHMARKS = {
    "paced": streaming.paced_cost,
    "measurement": streaming.measurement,
    "delay": streaming.delivery_delay,
    "scaling": streaming.scaling,
    "throughput": streaming.throughput,
    "memory": streaming.memory,
    "startup": costs.startup,
    "size": costs.size,
    "executors": costs.executors,
    "dispatch": costs.dispatch,
    "ceiling": streaming.ceiling,
    "instructions": costs.instructions,
    "syscalls": costs.syscalls,
    "coordination": coordination.coordination,
}
ONCE = ("scaling", "memory", "instructions", "syscalls")


@dataclass
class Plan:
    """What every benchmark is told."""

    paths: Paths
    clients: list
    repeats: int
    quick: bool

    def scaled(self, full, quick):
        return quick if self.quick else full

    def say(self, text):
        print(f"  {text}", file=sys.stderr, flush=True)


def build_peers(paths):
    """Peers in other languages, where their tools are; what cannot be built is named by its clients as missing."""
    go, cargo = shutil.which("go"), Path("/usr/bin/cargo")
    if go:
        subprocess.run([go, "build", "-o", paths.made / "go_peer", "."], cwd=paths.peers / "go", check=False)
    if cargo.exists():
        command = [cargo, "build", "--release", "--offline", "--quiet", "--target-dir", paths.made / "cargo"]
        with_debians_compiler = os.environ | {"RUSTC": "/usr/bin/rustc"}
        for peer in ("reqwest", "quinn"):
            subprocess.run(command, cwd=paths.peers / peer, env=with_debians_compiler, check=False)


def choose_clients(paths, arguments):
    clients = c_peers(paths) + chimera_clients(paths)
    if arguments.peers:
        paths.made.mkdir(parents=True, exist_ok=True)
        build_peers(paths)
        clients += other_peers(paths)
    if arguments.client:
        unknown = set(arguments.client) - {c.name for c in clients}
        if unknown:
            sys.exit(f"no such client: {', '.join(sorted(unknown))}; there are {', '.join(c.name for c in clients)}")
        clients = [c for c in clients if c.name in arguments.client]
    skipped = {c.name: c.missing() for c in clients if c.missing()}
    return [c for c in clients if c.name not in skipped], skipped


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"of {', '.join(BENCHMARKS)}; none: all")
    parser.add_argument("--peers", action="store_true", help="also the peers in Rust, Go and Python")
    parser.add_argument("--client", action="append", help="only this client (repeatable)")
    parser.add_argument("--repeats", type=int, help="runs of each (5; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="small loads: shows that it works, not how fast")
    parser.add_argument("--build-dir", type=Path, help="where the programs are (build/release)")
    arguments = parser.parse_args()
    unknown = [n for n in arguments.name if n not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    if arguments.repeats is not None and arguments.repeats < 1:
        parser.error("--repeats is at least 1")

    root = Path(__file__).resolve().parent.parent
    paths = Paths(root, arguments.build_dir or root / "build" / "release")
    clients, skipped = choose_clients(paths, arguments)
    if not clients:
        sys.exit("no client can be run: " + "; ".join(f"{name}: {why}" for name, why in skipped.items()))
    plan = Plan(paths, clients, arguments.repeats or (1 if arguments.quick else 5), arguments.quick)
    here = machine.description()
    parts = ["# Benchmarks\n", markdown(["machine", ""], list(here.items()))]
    parts.append(f"Median [least..most] of {plan.repeats} runs; {', '.join(ONCE)} run once.")
    parts += [f"skipped: {name} ({why})" for name, why in skipped.items()]
    print("\n".join(parts), flush=True)
    results = {"machine": here, "repeats": plan.repeats, "quick": plan.quick, "skipped": skipped, "benchmarks": {}}
    complete = True
    for name in arguments.name or BENCHMARKS:
        benchmark = BENCHMARKS[name]
        began = machine.ticks()
        rows, text = benchmark(plan)
        stolen = machine.stolen_pct(began)
        theft = f"\n\nThe hypervisor took {stolen:.1f} % of the machine's time meanwhile." if stolen >= 0.5 else ""
        parts.append(f"\n## {name}\n\n{benchmark.__doc__}.\n\n{text}{theft}")
        print(parts[-1], flush=True)
        results["benchmarks"][name] = rows
        complete = complete and not any("failed" in row or row.get("errors") for row in rows)
    paths.made.mkdir(parents=True, exist_ok=True)
    (paths.made / "results.json").write_text(json.dumps(results, indent=1))
    (paths.made / "results.md").write_text("\n".join(parts) + "\n")
    print(f"\nwritten to {paths.made}/results.json and results.md")
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
