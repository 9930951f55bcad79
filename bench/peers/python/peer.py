"""What the Python peers share: the command line, what is counted of a record, and the result line."""

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


def main(client, session, one_reply):
    """`session(load)` is an asynchronous context manager for a session; `one_reply(session, load, reply)` awaits one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--agents", type=int, default=1)
    parser.add_argument("--requests", type=int, default=1)
    parser.add_argument("--tokens-per-reply", type=int, default=100)
    parser.add_argument("--ramp-ms", type=int, default=0)
    parser.add_argument("--uvloop", action="store_true")
    load = parser.parse_args()
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
                await one_reply(at, load, reply)
                if not reply.done:
                    raise EOFError("the reply ended early")
            except Exception as error:  # counted, whatever the library calls it
                print(f"{client}: {error!r}", file=sys.stderr)
                tally.errors += 1

    async def all_agents():
        async with session(load) as at:
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
