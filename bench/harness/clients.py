"""Who is compared: chimera-host by its plugins, and the peers. A client that cannot be run says why."""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Load:
    """`agents` of them, each `requests` replies of `tokens` tokens one after the other, `rate` tokens/s each (0:
    unpaced). The agents' starts are spread over `ramp_s`."""

    agents: int
    rate: float
    tokens: int
    requests: int = 1
    ramp_s: float = 0

    def ideal_wall_s(self):
        if self.rate == 0:
            return None
        return self.ramp_s * (self.agents - 1) / self.agents + self.requests * self.tokens / self.rate


@dataclass
class Paths:
    """This checkout's programs, and the builds of the peers."""

    root: Path
    build: Path

    @property
    def bin(self):
        return self.build / "bin"

    @property
    def peers(self):
        return self.root / "bench" / "peers"

    @property
    def made(self):
        return self.build / "bench"


class Peer:
    def __init__(self, name, command, needs):
        self.name, self._command, self._needs = name, command, needs

    def missing(self):
        """Why it cannot be run; None if it can."""
        return next((f"{what} is missing" for what in self._needs if not what.exists()), None)

    def command(self, url, load):
        return [
            *self._command, "--url", url, "--agents", load.agents, "--requests", load.requests,
            "--tokens-per-reply", load.tokens, "--ramp-ms", int(load.ramp_s * 1000),
        ]  # fmt: skip

    def result(self, output):
        return json.loads(output)

    def tidy(self):
        pass


class Chimera:
    """chimera-host with one worker. What it writes goes to a folder that is thrown away. Without `pieces` it records only
    the moments of requests, and knows no delays of tokens."""

    def __init__(self, paths, transport, executor, pieces=True):
        self.name = f"chimera_{transport}_{executor}" + ("" if pieces else "_unmeasured")
        self._paths, self._transport, self._executor, self._pieces = paths, transport, executor, pieces
        self._folder = None

    def missing(self):
        for plugin in (self._transport, self._executor):
            if not (self._paths.build / "lib" / "chimera" / f"{plugin}.so").exists():
                return f"plugin {plugin} is not built"
        return None

    def command(self, url, load):
        self._folder = tempfile.mkdtemp(prefix="chimera_bench_")
        settings = {
            "executor.plugin": self._executor,
            "executor.options.workers": 1,
            "transport.plugin": self._transport,
            "workload.agents.count": load.agents,
            "workload.agents.template.options.num_predict": load.tokens,
            "workload.calls_per_agent": load.requests,
            "workload.ramp_ms": int(load.ramp_s * 1000),
            "measure.pieces": str(self._pieces).lower(),
        }
        if load.rate == 0:
            settings |= self._long_reads()
        command = [self._paths.bin / "chimera-host", "run", "--profile", self._paths.root / "bench" / "chimera.toml"]
        command += ["--url", url, "--ui", "none", "--json", "--output-dir", self._folder]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        return command

    def _long_reads(self):
        """As the peers do: the C loop reads 64 KB at once, libcurl by itself 16 KB."""
        if self._transport == "curl":
            return {"transport.options.buffer_size": 16 << 10}
        ring = {"executor.options.buffer_size": 16 << 10} if self._executor == "uring" else {}
        return ring | {"transport.options.read_size": 64 << 10}

    def result(self, output):
        summary = json.loads(output)
        metrics = summary["metrics"]
        delay = metrics["token_delay_us"]
        return {
            "client": self.name,
            "agents": len(summary["agents"]),
            "tokens": round(metrics["tokens"]["n"] * (metrics["tokens"]["mean"] or 0)),
            "errors": summary["failed_requests"],
            "wall_s": metrics["wall_ms"]["mean"] / 1000,
            "ttft_us_p50": (metrics["ttft_ms"]["p50"] or 0) * 1000,
            "delay_us_p50": delay["p50"],
            "delay_us_p99": delay["p99"],
            "delay_us_max": delay["max"],
        }

    def tidy(self):
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def measured_and_not(paths):
    return [Chimera(paths, "socket", "thread_pool", pieces) for pieces in (False, True)]


def chimera_clients(paths):
    return [Chimera(paths, "socket", e) for e in ("thread_pool", "uv_pinned", "fiber", "uring")] + [
        Chimera(paths, "curl", "thread_pool")
    ]


def c_peers(paths):
    return [Peer(name, [paths.bin / f"peer_{name}"], [paths.bin / f"peer_{name}"]) for name in ("raw_epoll", "curl_multi")]


def other_peers(paths):
    reqwest, go = paths.made / "cargo" / "release" / "reqwest_peer", paths.made / "go_peer"
    python, modules = Path("/usr/bin/python3"), Path("/usr/lib/python3/dist-packages")
    peers = [Peer(f"reqwest_{r}", [reqwest, "--runtime", r], [reqwest]) for r in ("multi_thread", "local_set")]
    peers.append(Peer("go_net_http", [go], [go]))
    for name, options, package in (("aiohttp", [], "aiohttp"), ("aiohttp_uvloop", ["--uvloop"], "uvloop"), ("httpx", [], "httpx")):
        command = [python, paths.peers / "python" / "peer.py", name.removesuffix("_uvloop"), *options]
        peers.append(Peer(name, command, [python, modules / package]))
    return peers
