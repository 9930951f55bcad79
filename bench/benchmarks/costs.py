"""Costs apart from streams: start-up and size, instructions and system calls of a token, dispatch and executors alone."""

import json
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from harness import machine
from harness.clients import Load
from harness.measured_run import Window, measure
from harness.table import comparison, markdown, number


def _first_connect_ms(client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        command = [*map(str, client.command(f"http://127.0.0.1:{listener.getsockname()[1]}", Load(2, 20, 10)))]
        with machine.only_on(machine.cores()[0]):
            began = time.monotonic()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            listener.accept()[0].close()
            return (time.monotonic() - began) * 1000
        except TimeoutError:
            return None
        finally:
            process.kill()
            process.wait()
            client.tidy()


def startup(plan):
    """From exec to the first connection, two agents; profile read and plugins loaded. raw_epoll's is the process itself"""
    rows = []
    for turn in range(max(plan.repeats, plan.scaled(10, 1))):
        shift = turn % len(plan.clients)
        for client in plan.clients[shift:] + plan.clients[:shift]:
            rows.append({"client": client.name, "start_up_ms": _first_connect_ms(client)})
    return rows, comparison(rows, [("start_up_ms", "ms")], "raw_epoll")


def size(plan):
    """Files on disk, stripped: the host with two plugins"""
    plugins = plan.paths.build / "lib" / "chimera"
    files = [plan.paths.bin / "chimera-host", plugins / "thread_pool.so", plugins / "socket.so"]
    rows = []
    with tempfile.NamedTemporaryFile() as stripped:
        for file in files:
            subprocess.run(["strip", "-o", stripped.name, file], check=True)
            rows.append({"client": file.name, "bytes": Path(stripped.name).stat().st_size})
    rows.append({"client": "together", "bytes": sum(row["bytes"] for row in rows)})
    return rows, markdown(["file", "MB"], [[row["client"], f"{row['bytes'] / 1e6:.2f}"] for row in rows])


# Counted instead of timed: where the cost of a token goes.


class Callgrind(Window):
    """Instructions in user space, by valgrind: zeroed when the window begins, dumped when it ends."""

    settle_s = 3

    def wrap(self, command):
        self.folder = tempfile.TemporaryDirectory(prefix="chimera_callgrind_")
        return ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={self.folder.name}/out", *command]

    def begin(self, pid):
        subprocess.run(["callgrind_control", "-z", str(pid)], check=True, capture_output=True)

    def end(self, pid, tokens):
        subprocess.run(["callgrind_control", "-d", str(pid)], check=True, capture_output=True)
        dump = Path(self.folder.name, "out.1").read_text()
        totals = next(line for line in dump.splitlines() if line.startswith(("totals:", "summary:")))
        return {"instructions_per_token": int(totals.split()[1]) / tokens}


class Strace(Window):
    """System calls, by `strace -c` attached for the window."""

    def begin(self, pid):
        self.output = tempfile.NamedTemporaryFile(prefix="chimera_strace_")
        command = ["strace", "-f", "-c", "-U", "name,calls", "-o", self.output.name, "-p", str(pid)]
        self.tool = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self, pid, tokens):
        self.tool.send_signal(signal.SIGINT)
        self.tool.wait()
        calls = {}
        for line in Path(self.output.name).read_text().splitlines():
            words = line.split()
            if len(words) == 2 and words[1].isdigit() and words[0] != "total":
                calls[words[0]] = int(words[1]) / tokens
        return {"calls": calls}


def _measured(plan, tool, window, load):
    if not shutil.which(tool):
        return None
    rows = []
    for client in plan.clients:
        plan.say(f"{client.name} under {tool}")
        rows.append(measure(plan.paths, client, load, window()))
    return rows


def instructions(plan):
    """Instructions in user space for each token (callgrind); 100 agents x 20 tok/s"""
    rows = _measured(plan, "callgrind_control", Callgrind, Load(plan.scaled(100, 10), 20, plan.scaled(240, 120)))
    if rows is None:
        return [], "skipped: valgrind is missing"
    return rows, comparison(rows, [("instructions_per_token", "instructions/token")], "raw_epoll")


def syscalls(plan):
    """System calls for each token (strace -c); 100 agents x 20 tok/s"""
    rows = _measured(plan, "strace", Strace, Load(plan.scaled(100, 10), 20, 80))
    if rows is None:
        return [], "skipped: strace is missing"
    lines = []
    for row in rows:
        calls = sorted(row.get("calls", {}).items(), key=lambda call: -call[1])
        named = ", ".join(f"{name} {number(each)}" for name, each in calls if each >= 0.005)
        lines.append([row["client"], number(sum(each for _, each in calls)), named or row.get("failed", "-")])
    return rows, markdown(["client", "calls/token", "of these"], lines)


# Google Benchmark: the contract and the executors, without a server.

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
