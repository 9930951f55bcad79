"""aiohttp: one ClientSession for all agents, without limits and time-outs; `--uvloop` for libuv's event loop."""

import aiohttp
import peer


def session(_load):
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None, sock_read=None),
        headers={"Accept-Encoding": "identity"},
    )


async def one_reply(client, load, reply):
    async with client.post(
        load.url + "/api/generate", data=load.body, headers={"Content-Type": "application/json"}
    ) as response:
        response.raise_for_status()
        async for line in response.content:
            reply.take(line)


peer.main("aiohttp", session, one_reply)
