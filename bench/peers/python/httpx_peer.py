"""httpx: one AsyncClient for all agents, without limits and time-outs."""

import httpx
import peer


def session(_load):
    return httpx.AsyncClient(
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
        timeout=None,
        trust_env=False,
        headers={"Accept-Encoding": "identity"},
    )


async def one_reply(client, load, reply):
    async with client.stream(
        "POST", load.url + "/api/generate", content=load.body, headers={"Content-Type": "application/json"}
    ) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if line.strip():
                reply.take(line)


peer.main("httpx", session, one_reply)
