"""One client under one load, measured from outside, the same way for all.

CPU time, instructions and system calls are taken over a window in which all agents stream, and divided by the tokens
that the simulator sent in it: start-up, connecting and the writing of results are not in them."""

import http.client
import json
import subprocess
import time

from . import machine


def process_cpu_s(pid):
    """User and system time of a living process with all its threads: its CPU clock, exact to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)


class Simulator:
    """A chimera-sim pinned to its core. `rate` 0: unpaced. Tokens are spread over their interval, so that the agents' do not come all at once."""

    def __init__(self, paths, rate, tokens_per_reply):
        self.command = [paths.bin / "chimera-sim", "--exit-with-parent", "--quiet"]
        self.command += ["--load-ms", "0", "--prefill-tokens-per-s", "0", "--jitter", "1"]
        self.command += ["--decode-tokens-per-s", str(rate)]
        self.command += ["--reply-tokens-min", str(tokens_per_reply), "--reply-tokens-max", str(tokens_per_reply)]

    def __enter__(self):
        with machine.only_on(machine.cores()[1]):
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        host, port = self.url.removeprefix("http://").split(":")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=30)
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def stats(self):
        self.connection.request("GET", "/chimera/stats")
        return json.loads(self.connection.getresponse().read())

    def cpu_s(self):
        return process_cpu_s(self.process.pid)


class Window:
    """Counts while a client streams. Subclasses attach a tool; this class reads clocks."""

    settle_s = 0.5  # from the last agent's start to the window

    def wrap(self, command):
        """The command as it is to be run."""
        return command

    def begin(self, pid):
        self.cpu_at = process_cpu_s(pid)

    def end(self, pid, tokens):
        """The counts, divided by `tokens`."""
        return {"cpu_us_per_token": (process_cpu_s(pid) - self.cpu_at) * 1e6 / tokens}


def _resident_mb(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def _until_first_token(simulator, process, patience_s):
    end = time.monotonic() + patience_s
    while process.poll() is None and time.monotonic() < end:
        if simulator.stats()["tokens_sent"] > 0:
            return True
        time.sleep(0.01)
    return False


def _observe(simulator, process, load, window, row):
    """Adds figures seen from outside while the client streams to `row`."""
    if load.rate == 0 or not _until_first_token(simulator, process, 60):
        return
    began = time.monotonic()
    streams_until = began + (load.requests * load.tokens - 1.5) / load.rate  # a token has come, up to half an interval late
    time.sleep(load.ramp_s + window.settle_s)
    try:
        before, simulator_before, at = simulator.stats(), simulator.cpu_s(), time.monotonic()
        window.begin(process.pid)
        time.sleep(max(0.1, streams_until - 0.2 - time.monotonic()))
        tokens = simulator.stats()["tokens_sent"] - before["tokens_sent"]
        if tokens == 0:
            return
        row.update(window.end(process.pid, tokens))
        row["simulator_busy_pct"] = (simulator.cpu_s() - simulator_before) / (time.monotonic() - at) * 100
        row["rss_mb"] = _resident_mb(process.pid)
    except (OSError, StopIteration, subprocess.CalledProcessError):
        pass  # it has ended meanwhile: the row lacks these figures


def measure(paths, client, load, window=None):
    """A row: the client's own figures and those seen from outside. `failed` says why there are none."""
    row = {"client": client.name, "agents": load.agents, "ideal_wall_s": load.ideal_wall_s()}
    window = window or Window()
    with Simulator(paths, load.rate, load.tokens) as simulator:
        command = window.wrap([*map(str, client.command(simulator.url, load))])
        with machine.only_on(machine.cores()[0]):
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            _observe(simulator, process, load, window, row)
            out, err = process.communicate(timeout=60 + 4 * (load.ideal_wall_s() or 30))
            row.update(client.result(out) if out else {"failed": (err.strip().splitlines() or ["no output"])[-1]})
            expected = load.agents * load.requests * load.tokens
            if "failed" not in row and row["tokens"] != expected:
                row["failed"] = f"{row['tokens']} of {expected} tokens"
            row["simulator_late_us_p99"] = simulator.stats()["late_p99_us"]
            row["simulator_cpu_s"] = simulator.cpu_s()
        except subprocess.TimeoutExpired:
            row["failed"] = "took more than four times as long as it should"
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
            client.tidy()
    return row
