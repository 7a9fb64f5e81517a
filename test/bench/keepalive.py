# SPDX-License-Identifier: MIT
"""One keep-alive connection that sends GET after GET and checks each answer."""
import re
import socket

from programs import BenchError


class KeepAlive:
    def __init__(self, port, path="/"):
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.socket.settimeout(60)
        self.request = (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                        "User-Agent: curl/8\r\nAccept: */*\r\n\r\n").encode()
        self.last = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def get(self, times):
        for _ in range(times):
            self.socket.sendall(self.request)
            self._read_response()

    def _read_response(self):
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, body = data.split(b"\r\n\r\n", 1)
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if not head.startswith(b"HTTP/1.1 200") or not length:
            raise BenchError(f"not a hello: {head[:80]!r}")
        while len(body) < int(length[1]):
            body += self._receive()
        if body != b"Hello, World!":
            raise BenchError(f"not a hello: {body[:80]!r}")

    def _receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise BenchError("the server closed a keep-alive connection")
        return data
