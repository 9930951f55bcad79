"""peer.py aiohttp|httpx: one session for all agents, without limits and time-outs. `--uvloop`: on libuv's event loop."""

import argparse
import array
import asyncio
import json
import resource
import sys
import time

now_ns = time.monotonic_ns  # CLOCK_MONOTONIC, the clock of `t_ns`


class Tally:
    """All agents' counts. Delays in microseconds."""

    def __init__(self):
        self.delays = array.array("f")
        self.ttfts = array.array("f")
        self.tokens = 0
        self.errors = 0


class Reply:
    """The records of one reply."""

    def __init__(self, tally):
        self.tally = tally
        self.asked = now_ns()
        self.first = True
        self.done = False

    def take(self, line):
        record = json.loads(line)
        self.done = self.done or record["done"]
        if not record["response"]:
            return
        now = now_ns()
        tally = self.tally
        if self.first:
            self.first = False
            tally.ttfts.append((now - self.asked) / 1e3)
        tally.tokens += 1
        tally.delays.append((now - record["t_ns"]) / 1e3)


def quantile(ordered, share):
    return ordered[round(share * (len(ordered) - 1))] if ordered else 0.0


class Aiohttp:
    def __init__(self):
        import aiohttp

        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None, sock_read=None),
            headers={"Accept-Encoding": "identity"},
        )

    async def one_reply(self, load, reply):
        async with self.session.post(
            load.url + "/api/generate", data=load.body, headers={"Content-Type": "application/json"}
        ) as response:
            response.raise_for_status()
            async for line in response.content:
                reply.take(line)


class Httpx:
    def __init__(self):
        import httpx

        self.session = httpx.AsyncClient(
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            timeout=None,
            trust_env=False,
            headers={"Accept-Encoding": "identity"},
        )

    async def one_reply(self, load, reply):
        async with self.session.stream(
            "POST", load.url + "/api/generate", content=load.body, headers={"Content-Type": "application/json"}
        ) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.strip():
                    reply.take(line)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library", choices=["aiohttp", "httpx"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--agents", type=int, default=1)
    parser.add_argument("--requests", type=int, default=1)
    parser.add_argument("--tokens-per-reply", type=int, default=100)
    parser.add_argument("--ramp-ms", type=int, default=0)
    parser.add_argument("--uvloop", action="store_true")
    load = parser.parse_args()
    client = load.library
    load.body = json.dumps(
        {"model": "m", "prompt": "Why is the sky blue?", "options": {"num_predict": load.tokens_per_reply}}
    ).encode()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if load.uvloop:
        import uvloop

        uvloop.install()
        client += "_uvloop"

    tally = Tally()

    async def agent(at, number):
        await asyncio.sleep(load.ramp_ms / 1e3 * number / load.agents)
        for _ in range(load.requests):
            reply = Reply(tally)
            try:
                await at.one_reply(load, reply)
                if not reply.done:
                    raise EOFError("the reply ended early")
            except Exception as error:  # counted, whatever the library calls it
                print(f"{client}: {error!r}", file=sys.stderr)
                tally.errors += 1

    async def all_agents():
        at = Aiohttp() if load.library == "aiohttp" else Httpx()
        async with at.session:
            began = now_ns()
            await asyncio.gather(*(agent(at, i) for i in range(load.agents)))
            return (now_ns() - began) * 1e-9

    wall = asyncio.run(all_agents())
    delays, ttfts = sorted(tally.delays), sorted(tally.ttfts)
    print(
        json.dumps(
            {
                "client": client,
                "agents": load.agents,
                "tokens": tally.tokens,
                "errors": tally.errors,
                "wall_s": wall,
                "ttft_us_p50": quantile(ttfts, 0.5),
                "delay_us_p50": quantile(delays, 0.5),
                "delay_us_p99": quantile(delays, 0.99),
                "delay_us_max": quantile(delays, 1),
            }
        )
    )
    sys.exit(1 if tally.errors else 0)


main()
