#!/usr/bin/env python3
"""What sharing a connection costs and saves: h2 with one connection for a worker, h2 with one for each agent, and HTTP/1.1.

All three go through one nginx (one worker process) to one chimera-sim. Runs alternate: every round runs each variant at
each number of agents once, in an order that rotates. Prints a table of medians with their range, and writes every run as a
line of JSON.

    ./dev build && bench/multiplexing.py --rounds 7 --runs-file multiplexing.jsonl
"""

import argparse
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

VARIANTS = {
    "h2, shared": ("h2", {"share": "worker"}),
    "h2, one each": ("h2", {"share": "session"}),
    "HTTP/1.1": ("socket", {"read_size": 65536}),
}

# name in the table, metric of summary.json, member, how to print it
METRICS = [
    ("wall ms", "wall_ms", "mean", "{:.0f}"),
    ("TTFT p50 ms", "ttft_ms", "p50", "{:.2f}"),
    ("TTFT p99 ms", "ttft_ms", "p99", "{:.2f}"),
    ("ITL p99 ms", "itl_ms", "p99", "{:.2f}"),
    ("token delay p50 us", "token_delay_us", "p50", "{:.0f}"),
    ("token delay p99 us", "token_delay_us", "p99", "{:.0f}"),
    ("head of line p50 us", "head_of_line_us", "p50", "{:.1f}"),
    ("head of line p99 us", "head_of_line_us", "p99", "{:.1f}"),
]
MEASURED = [  # by this script
    ("worker CPU us/token", "worker_us", "{:.2f}"),
    ("nginx CPU us/token", "proxy_us", "{:.2f}"),
]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(1000):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    sys.exit(f"nobody listens on port {port}")


def cpu_s(pid):
    """Of its only thread, so far."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


class Servers:
    """chimera-sim, and nginx before it, with a listener of each protocol."""

    def __init__(self, build, rate, tokens):
        self.folder = tempfile.TemporaryDirectory(prefix="multiplexing.")
        at = Path(self.folder.name)
        self.ports = {"h2": free_port(), "socket": free_port()}
        upstream = free_port()
        self.sim = subprocess.Popen(
            [build / "bin/chimera-sim", "--quiet", "--listen", f"127.0.0.1:{upstream}", "--load-ms", "0",
             "--prefill-tokens-per-s", "0", "--decode-tokens-per-s", str(rate), "--jitter", "1",
             "--reply-tokens-min", str(tokens), "--reply-tokens-max", str(tokens)],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        temp = "".join(f"  {k}_temp_path {at}/{k};\n" for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        proxy = (f"    location / {{ proxy_pass http://sim; proxy_http_version 1.1; proxy_buffering off;\n"
                 f"      proxy_set_header Connection \"\"; }}\n    keepalive_requests 1000000;\n")
        (at / "nginx.conf").write_text(
            f"daemon off;\nmaster_process off;\npid {at}/pid;\nerror_log {at}/error.log;\n"
            f"worker_rlimit_nofile 16384;\nevents {{ worker_connections 8192; }}\n"
            f"http {{\n  access_log off;\n{temp}"
            f"  upstream sim {{ server 127.0.0.1:{upstream}; keepalive 4096; keepalive_requests 1000000; }}\n"
            f"  server {{ listen 127.0.0.1:{self.ports['h2']} http2 backlog=4096;\n"
            f"    http2_max_concurrent_streams 4096;\n{proxy}  }}\n"
            f"  server {{ listen 127.0.0.1:{self.ports['socket']} backlog=4096;\n{proxy}  }}\n}}\n"
        )
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.nginx = subprocess.Popen([nginx, "-c", at / "nginx.conf", "-e", at / "error.log"])
        for port in (upstream, *self.ports.values()):
            wait_for(port)

    def stop(self):
        for p in (self.nginx, self.sim):
            p.terminate()
            p.wait()
        self.folder.cleanup()


def one_run(build, servers, variant, agents, executor, workers):
    plugin, options = VARIANTS[variant]
    with tempfile.TemporaryDirectory(prefix="multiplexing.") as results:
        sets = {
            "executor.plugin": executor, "executor.options.workers": workers,
            "transport.plugin": plugin, "workload.agents.count": agents,
            "measure.runs": 1, "measure.warmup": 0,
        }  # fmt: skip
        command = [build / "bin/chimera-host", "--profile", ROOT / "bench/multiplexing.toml", "--json", "--ui", "none",
                   "--output-dir", results, "--url", f"http://127.0.0.1:{servers.ports[plugin]}"]  # fmt: skip
        for key, value in {**sets, **{f"transport.options.{k}": v for k, v in options.items()}}.items():
            command += ["--set", f"{key}={value}"]
        before = cpu_s(servers.nginx.pid)
        done = subprocess.run(command, capture_output=True, text=True)
        proxy_s = cpu_s(servers.nginx.pid) - before
    if done.returncode != 0:
        sys.exit(f"{variant}, {agents} agents: {done.stderr}{done.stdout}")
    summary = json.loads(done.stdout)
    metrics = summary["metrics"]
    tokens = metrics["tokens"]["mean"] * metrics["tokens"]["n"]
    worker_s = metrics["busiest_worker_pct"]["mean"] / 100 * metrics["wall_ms"]["mean"] / 1e3  # without the host's start
    values = {f"{m} {member}": metrics[m][member] for _, m, member, _ in METRICS if metrics.get(m, {}).get("n")}
    values |= {"worker_us": worker_s / tokens * 1e6, "proxy_us": proxy_s / tokens * 1e6}
    return {"variant": variant, "agents": agents, "executor": executor, "tokens": tokens, **values}


def table(runs, agents):
    rows = [["agents", "figure", *VARIANTS]]
    kinds = [(n, f"{m} {member}", f) for n, m, member, f in METRICS] + MEASURED
    for count in agents:
        for name, key, form in kinds:
            row = [str(count), name]
            for variant in VARIANTS:
                got = [r[key] for r in runs if r["variant"] == variant and r["agents"] == count and key in r]
                row.append(f"{form.format(statistics.median(got))} ({form.format(min(got))} to {form.format(max(got))})"
                           if got else "")  # fmt: skip
            rows.append(row)
    lines = ["| " + " | ".join(r) + " |" for r in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    parser.add_argument("--agents", type=int, nargs="+", default=[2, 64, 1000])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--executor", default="uv_pinned")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rate", type=float, default=10, help="tokens/s of each reply")
    parser.add_argument("--tokens", type=int, default=50, help="of each reply")
    parser.add_argument("--runs-file", type=Path, help="every run, one line of JSON each")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    servers = Servers(arguments.build, arguments.rate, arguments.tokens)
    runs = []
    try:
        for turn in range(arguments.rounds):
            order = list(VARIANTS)[turn % len(VARIANTS):] + list(VARIANTS)[: turn % len(VARIANTS)]
            for count in arguments.agents:
                for variant in order:
                    runs.append(one_run(arguments.build, servers, variant, count, arguments.executor, arguments.workers))
                    print(f"  round {turn + 1}: {variant}, {count} agents: load {os.getloadavg()[0]:.1f}", file=sys.stderr)
                    if arguments.runs_file:
                        with arguments.runs_file.open("a") as out:
                            out.write(json.dumps(runs[-1]) + "\n")
    finally:
        servers.stop()
    print(time.strftime(f"{arguments.executor}, {arguments.workers} worker(s), {arguments.rounds} rounds, %Y-%m-%d"))
    print(table(runs, arguments.agents))


if __name__ == "__main__":
    main()
