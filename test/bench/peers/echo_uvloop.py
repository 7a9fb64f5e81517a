# SPDX-License-Identifier: MIT
"""Echo on uvloop, by protocol or by streams. usage: echo_uvloop.py protocol|streams PORT|PATH [CERT KEY]"""
import asyncio
import ssl
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


def security(files):
    if not files:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    return context


async def main():
    kind, where, *files = sys.argv[1:]
    by_path = "/" in where
    address = [where] if by_path else ["127.0.0.1", int(where)]
    loop = asyncio.get_running_loop()
    if kind == "streams":
        start = asyncio.start_unix_server if by_path else asyncio.start_server
        server = await start(echo, *address, ssl=security(files))
    else:
        create = loop.create_unix_server if by_path else loop.create_server
        server = await create(Echo, *address, ssl=security(files))
    await server.serve_forever()


uvloop.install()
asyncio.run(main())
