# SPDX-License-Identifier: MIT
"""Echo: server CPU per round trip, also with a connection for each, and memory of idle connections. Subprocesses: wall
time of a spawn and its wait. Files: CPU of a copy, server CPU of sending one."""
import contextlib
import os
import resource
import subprocess
import tempfile
import time

import compare
from compare import Comparison
from core_rows import measure_micro
from programs import BenchError, LOAD_CPU, Server, fill, run_metered, run_tool

CONNECTIONS = 10
SIZES_KIB = (1, 10, 100)
SEND_MIB = (1, 100)
IDLE = 10_000


def rows(settings, report):
    load = compare.built(settings, "echoload", "test/bench/echoload")
    if load.missing:
        report.skip("echo rows", load.missing)
    else:
        _echo_rows(settings, report, load.argv[0])
    _idle_row(settings, report)
    _spawn_row(settings, report)
    _copy_row(settings, report)
    _send_file_rows(settings, report)


def _tcp(settings):
    return (compare.built(settings, "floor", "test/bench/floor_echo", "{port}"),
            compare.built(settings, "cuvee", "samples/echo_server", "--port", "{port}"))


def _peers(settings, *arguments):
    if not settings.peers:
        return []
    return [
        compare.built(settings, "asio", "test/bench/peer_echo_asio", *arguments),
        compare.python("uvloop protocol", "echo_uvloop.py", "protocol", *arguments),
        compare.python("uvloop streams", "echo_uvloop.py", "streams", *arguments),
        compare.node("node", "echo_node.js", *arguments),
    ]


def _echo_rows(settings, report, load):
    def row(name, budget, contenders, kib, *, how=(), connections=CONNECTIONS):
        floor, own, peers = contenders
        Comparison(settings, report, f"{name} {kib} KiB", "us cpu/trip", budget).run(
            floor, own, peers,
            lambda c: _round_trip(load, connections, kib * 1024, how, c, settings.seconds))

    tcp = (*_tcp(settings), compare.against(settings, "io") + _peers(settings, "{port}"))
    unix = (compare.built(settings, "floor", "test/bench/floor_echo", "{path}"),
            compare.built(settings, "cuvee", "samples/echo_server", "--unix", "{path}"), _peers(settings, "{path}"))
    with tempfile.TemporaryDirectory() as folder:
        files = _certificate(folder)
        tls = (compare.built(settings, "floor", "test/bench/floor_tls_echo", "{port}", *files),
               compare.built(settings, "cuvee", "samples/tls_echo", "--port", "{port}", "--cert", files[0],
                             "--key", files[1]),
               _peers(settings, "{port}", *files))
        for kib in SIZES_KIB:
            row("echo", 1.05, tcp, kib)
        resumed = compare.built(settings, "cuvee", "test/bench/echo_bench", "{port}")
        for kib in SIZES_KIB:
            row("echo by read_some and write", 1.05, (tcp[0], resumed, []), kib)
        row("1,000 connections, echo", 1.05, tcp, 1, connections=1000)
        row("a connection each, echo", None, tcp, 1, how=["reconnect"])
        for kib in SIZES_KIB:
            row("unix echo", 1.05, unix, kib)
        for kib in SIZES_KIB:
            row("TLS echo", 1.10, tls, kib, how=["tls"])


def _certificate(folder):
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=localhost", "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def _idle_row(settings, report):
    """What a connection costs that has sent a line and waits: the process's own memory, not the kernel's."""
    floor, own = _tcp(settings)
    peers = _peers(settings, "{port}")
    for contender in (floor, own, *peers):
        contender.once = True
    Comparison(settings, report, f"{IDLE:,} idle connections", "KiB each").run(
        floor, own, peers, _idle_memory)


def _idle_memory(contender):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < IDLE + 100:
        raise BenchError(f"{IDLE + 100} open files are needed, the limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Server(contender.argv) as server, contextlib.ExitStack() as clients:
        before = server.resident_bytes()
        for _ in range(IDLE):
            client = clients.enter_context(server.connect())
            client.sendall(b"hello\n")
            if client.recv(6) != b"hello\n":
                raise BenchError(f"{contender.name}: no echo")
        return (server.resident_bytes() - before) / IDLE / 1024


def _round_trip(load, connections, size, how, contender, seconds):
    """Server CPU per round trip in microseconds. With many connections of a long run less a short one, which leaves
    out what they cost at their start and end; with few that would only add noise."""
    with Server(contender.argv) as server:
        def run(duration):
            argv = [load, str(server.address), str(connections), str(size), str(duration), *how]
            before = server.cpu_seconds()
            trips = int(run_tool(argv, LOAD_CPU))
            return trips, server.cpu_seconds() - before
        run(0.5)
        few, start = run(seconds / 4) if connections > CONNECTIONS else (0, 0)
        many, all_of_it = run(seconds)
        server.check_alive()
    if many <= few:
        raise BenchError(f"{os.path.basename(contender.argv[0])}: no round trips")
    return (all_of_it - start) / (many - few) * 1e6


def _spawn_row(settings, report):
    floor = compare.built(settings, "floor", "test/bench/floor_spawn")
    own = compare.built(settings, "cuvee", "test/bench/process_bench")
    peers = [] if not settings.peers else [
        compare.node("node", "micro_node.js", "process"),
        compare.python("uvloop", "micro_uvloop.py", "process"),
    ]
    for peer in peers:
        peer.once = True
    Comparison(settings, report, "spawn /bin/true and wait", "us", 1.05).run(
        floor, own, peers, lambda c: measure_micro(c, "process") / 1000)


def _copy_row(settings, report):
    """Copies within one folder, into a file that is new each time; the source is in the cache."""
    mib = 64 if settings.quick else 1024
    floor = compare.Contender("cp", ["cp", "{from}", "{to}"])
    own = compare.built(settings, "cuvee", "test/bench/file_bench", "{from}", "{to}")
    with tempfile.TemporaryDirectory(dir=settings.build) as folder:
        source, target = os.path.join(folder, "from"), os.path.join(folder, "to")
        with open(source, "wb") as file:
            block = os.urandom(1 << 20)
            for _ in range(mib):
                file.write(block)
            os.fsync(file.fileno())

        def measure(contender):
            argv = fill(contender.argv, to=target, **{"from": source})
            _, seconds = run_metered(argv, LOAD_CPU)
            if os.path.getsize(target) != mib << 20:
                raise BenchError(f"{contender.name}: the copy is not whole")
            os.unlink(target)
            return seconds * 1000
        Comparison(settings, report, f"file copy {mib} MiB", "ms cpu", None).run(
            floor, own, [], measure)


def _send_file_rows(settings, report):
    """From a disk, whose cache the loop's thread sends from, and from tmpfs, where cuvee leaves it to the pool."""
    for where, folder in (("", settings.build), (" from tmpfs", "/dev/shm")):
        for mib in SEND_MIB:
            name = f"send_file {mib} MiB{where}"
            if not os.access(folder, os.W_OK):
                report.skip(name, f"{folder} cannot be written to")
                continue
            with tempfile.NamedTemporaryFile(dir=folder) as file:
                for _ in range(mib):
                    file.write(os.urandom(1 << 20))
                file.flush()
                os.fsync(file.fileno())
                floor, own = (compare.built(settings, name_, f"test/bench/{program}", "{port}", file.name)
                              for name_, program in (("floor", "floor_send_file"), ("cuvee", "send_file_bench")))
                Comparison(settings, report, name, "us cpu/MiB").run(
                    floor, own, [], lambda c: _sending(c, mib, settings.seconds))


def _sending(contender, mib, seconds):
    """Server CPU for each MiB of a file that one client asks for again and again."""
    room, whole = memoryview(bytearray(1 << 20)), mib << 20

    def receive_one(client):
        client.sendall(b"x")
        left = whole
        while left:
            n = client.recv_into(room, min(left, len(room)))
            if n == 0:
                raise BenchError(f"{contender.name}: the file is not whole")
            left -= n

    with Server(contender.argv) as server, server.connect() as client:
        client.settimeout(60)
        receive_one(client)
        before, files, end = server.cpu_seconds(), 0, time.monotonic() + seconds
        while files == 0 or time.monotonic() < end:
            receive_one(client)
            files += 1
        return (server.cpu_seconds() - before) / (files * mib) * 1e6
