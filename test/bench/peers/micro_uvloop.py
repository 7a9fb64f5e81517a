# SPDX-License-Identifier: MIT
"""Core rows on asyncio and uvloop. Prints `ROW NS_PER_OP`. usage: micro_uvloop.py [ROW]"""
import asyncio
import sys
import time

import uvloop


async def one():
    return 1


async def yield_many(n):
    for _ in range(n):
        await asyncio.sleep(0)


async def call(n):
    for _ in range(n):
        await one()


async def yields(n):
    await asyncio.gather(yield_many(n // 2), yield_many(n // 2))


async def spawn_join(n):
    for _ in range(n):
        await asyncio.create_task(one())


async def gather(n):
    await asyncio.gather(*[one() for _ in range(n)])


async def put_items(line, n):
    for i in range(n):
        await line.put(i)


async def get_items(line, n):
    for _ in range(n):
        await line.get()


async def queue(n):
    line = asyncio.Queue(64)
    await asyncio.gather(put_items(line, n), get_items(line, n))


async def timeout_event(n):
    loop = asyncio.get_running_loop()
    for _ in range(n):
        event = asyncio.Event()
        loop.call_soon(event.set)
        async with asyncio.timeout(10):
            await event.wait()


async def any_of(n):
    loop = asyncio.get_running_loop()
    for _ in range(n):
        ready, never = loop.create_future(), loop.create_future()
        loop.call_soon(ready.set_result, None)
        await asyncio.wait([ready, never], return_when=asyncio.FIRST_COMPLETED)
        never.cancel()


async def sleeps(n):
    await asyncio.gather(*[asyncio.sleep((i % 1000) / 1000) for i in range(n)])


async def offload(n):
    loop = asyncio.get_running_loop()
    for _ in range(n):
        await loop.run_in_executor(None, int)


async def process(n):
    for _ in range(n):
        child = await asyncio.create_subprocess_exec("/bin/true")
        await child.wait()


ROWS = {
    "call": (call, 1000000, time.perf_counter),
    "yield": (yields, 200000, time.perf_counter),
    "spawn_join": (spawn_join, 100000, time.perf_counter),
    "gather": (gather, 100000, time.perf_counter),
    "queue": (queue, 200000, time.perf_counter),
    "timeout_event": (timeout_event, 50000, time.perf_counter),
    "any_of": (any_of, 50000, time.perf_counter),
    "sleeps_cpu": (sleeps, 100000, time.process_time),
    "offload": (offload, 10000, time.perf_counter),
    "process": (process, 100, time.perf_counter),
}


async def main():
    for name, (row, n, clock) in ROWS.items():
        if len(sys.argv) > 1 and sys.argv[1] != name:
            continue
        start = clock()
        await row(n)
        print(f"{name} {(clock() - start) / n * 1e9:.1f}", flush=True)


uvloop.install()
asyncio.run(main())
