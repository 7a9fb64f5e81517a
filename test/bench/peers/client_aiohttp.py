# SPDX-License-Identifier: MIT
"""aiohttp's client on uvloop, CONNS connections, N GETs in all. Prints N.
usage: client_aiohttp.py PORT N CONNS PATH"""
import asyncio
import sys

import aiohttp
import uvloop


async def main():
    port, total, connections, path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    url = f"http://127.0.0.1:{port}{path}"
    turns = iter(range(total))
    connector = aiohttp.TCPConnector(limit=connections)
    done = 0

    async def worker(session):
        nonlocal done
        for _ in turns:
            async with session.get(url) as response:
                await response.read()
            done += 1

    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*[worker(session) for _ in range(connections)])
    print(done)


uvloop.install()
asyncio.run(main())
