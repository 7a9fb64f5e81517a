# SPDX-License-Identifier: MIT
"""TCP echo on uvloop, by protocol or by streams. usage: echo_uvloop.py protocol|streams PORT"""
import asyncio
import sys

import uvloop


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def echo(reader, writer):
    while data := await reader.read(102400):
        writer.write(data)
        await writer.drain()
    writer.close()


async def main():
    kind, port = sys.argv[1], int(sys.argv[2])
    if kind == "streams":
        server = await asyncio.start_server(echo, "127.0.0.1", port)
    else:
        server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", port)
    await server.serve_forever()


uvloop.install()
asyncio.run(main())
