"""A chimera-sim of one's own, pinned to its core."""

import http.client
import json
import subprocess
import time

from . import machine


def process_cpu_s(pid):
    """User and system time of a living process with all its threads: its CPU clock, exact to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)


class Simulator:
    """`rate` 0: unpaced. Tokens are spread over their interval, so that the agents' do not come all at once."""

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
