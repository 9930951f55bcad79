"""Where a token's cost goes: what can be counted instead of timed."""

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from harness.clients import Load
from harness.measured_run import Window, measure
from harness.table import comparison, markdown, number


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
