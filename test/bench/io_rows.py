# SPDX-License-Identifier: MIT
"""TCP echo: server CPU per round trip. Subprocesses: wall time of a spawn and its wait. Files: CPU of a copy."""
import os
import tempfile

import compare
from compare import Comparison
from core_rows import measure_micro
from programs import BenchError, LOAD_CPU, Server, fill, run_metered, run_tool

CONNECTIONS = 10
SIZES_KIB = (1, 10, 100)


def rows(settings, report):
    _echo_rows(settings, report)
    _spawn_row(settings, report)
    _copy_row(settings, report)


def _echo_rows(settings, report):
    load = compare.built(settings, "echoload", "test/bench/echoload")
    if load.missing:
        report.skip("echo rows", load.missing)
        return
    floor = compare.built(settings, "floor", "test/bench/floor_echo", "{port}")
    own = compare.built(settings, "cuvee", "samples/echo_server", "--port", "{port}")
    peers = compare.against(settings, "io") + ([] if not settings.peers else [
        compare.built(settings, "asio", "test/bench/peer_echo_asio", "{port}"),
        compare.python("uvloop protocol", "echo_uvloop.py", "protocol", "{port}"),
        compare.python("uvloop streams", "echo_uvloop.py", "streams", "{port}"),
        compare.node("node", "echo_node.js", "{port}"),
    ])
    for kib in SIZES_KIB:
        def measure(contender, size=kib * 1024):
            return _round_trip(load.argv[0], contender, size, settings.seconds)
        Comparison(settings, report, f"echo {kib} KiB", "us cpu/trip", 1.05).run(
            floor, own, peers, measure)


def _round_trip(load, contender, size, seconds):
    """Server CPU per round trip in microseconds."""
    with Server(contender.argv) as server:
        def trips(duration):
            argv = [load, str(server.port), str(CONNECTIONS), str(size), str(duration)]
            return int(run_tool(argv, LOAD_CPU))
        trips(0.5)
        before = server.cpu_seconds()
        done = trips(seconds)
        after = server.cpu_seconds()
        server.check_alive()
    if done == 0:
        raise BenchError(f"{os.path.basename(contender.argv[0])}: no round trips")
    return (after - before) / done * 1e6


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
