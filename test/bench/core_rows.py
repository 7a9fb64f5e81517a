# SPDX-License-Identifier: MIT
"""The core's micro rows: programs that print `ROW NS_PER_OP`, one row a run."""
import dataclasses
from typing import Optional

import compare
from compare import Comparison
from programs import BenchError, SERVER_CPU, run_tool
from report import Row


@dataclasses.dataclass
class CoreRow:
    """`limit` is in ns; `of_asio` and `of_floor` bound the ratio to Asio and to a raw program."""
    name: str
    limit: Optional[float] = None
    of_asio: Optional[float] = None
    floor: str = ""
    of_floor: Optional[float] = None
    node: str = ""
    uvloop: str = ""


ROWS = (
    CoreRow("call", limit=8, of_asio=0.6, node="call", uvloop="call"),
    CoreRow("yield", limit=12, of_asio=0.12, node="yield", uvloop="yield"),
    CoreRow("spawn_join", limit=45, of_asio=0.15, uvloop="spawn_join"),
    CoreRow("gather_warm", limit=60, node="gather", uvloop="gather"),
    CoreRow("gather_cold"),
    CoreRow("queue", limit=10, uvloop="queue"),
    CoreRow("timeout_event", limit=60, uvloop="timeout_event"),
    CoreRow("any_of", limit=40, uvloop="any_of"),
    CoreRow("sleeps_cpu", of_asio=0.2, floor="floor_timers", of_floor=0.75, node="sleeps_cpu",
            uvloop="sleeps_cpu"),
    CoreRow("offload", floor="floor_offload", of_floor=1.1, uvloop="offload"),
)


def rows(settings, report):
    for row in ROWS:
        own = compare.built(settings, "cuvee", "test/bench/core_bench", row.name)
        _one(settings, report, row, own)
    _count_rows(settings, report)


# A child that is a coroutine has its frame; one of a group also a record, which its handle may keep.
POOLED = {"call": 1, "spawn_join": 2, "any_of": 0, "gather": 0, "timeout": 0}


def _count_rows(settings, report):
    counter = compare.built(settings, "cuvee", "test/bench/core_counts")
    if counter.missing:
        report.skip("core counts", counter.missing)
        return
    for line in run_tool(counter.argv, SERVER_CPU).strip().split("\n"):
        name, heap, blocks = line.split()
        report.add(Row(f"core {name}, allocations", "allocs/op", float(heap), budget=0,
                       of_value=True))
        report.add(Row(f"core {name}, pooled blocks", "blocks/op", float(blocks), budget=POOLED[name],
                       of_value=True))


def _one(settings, report, row, own):
    extra = _slow_peers(settings, row) + compare.against(settings, "core")

    def measure(contender):
        return measure_micro(contender, row.name)

    if row.floor:
        floor = compare.built(settings, "floor", f"test/bench/{row.floor}")
        Comparison(settings, report, f"core {row.name}, of raw libuv", "ns", row.of_floor).run(
            floor, own, extra, measure)
        extra = []
    if row.limit or not (row.floor or row.of_asio):
        Comparison(settings, report, f"core {row.name}", "ns", row.limit).run(
            None, own, extra, measure)
    if row.of_asio:
        asio = compare.built(settings, "asio", "test/bench/peer_micro_asio", row.name)
        Comparison(settings, report, f"core {row.name}, of Asio", "ns", row.of_asio).run(
            asio, own, [], measure)


def _slow_peers(settings, row):
    if not settings.peers:
        return []
    peers = []
    if row.node:
        peers.append(compare.node("node", "micro_node.js", row.node))
    if row.uvloop:
        peers.append(compare.python("uvloop", "micro_uvloop.py", row.uvloop))
    for peer in peers:
        peer.once = True
    return peers


def measure_micro(contender, row):
    """Runs a micro-benchmark; {row} in its command is filled in. Returns ns per operation."""
    argv = [word.replace("{row}", row) for word in contender.argv]
    lines = run_tool(argv, SERVER_CPU).split("\n")
    figures = [line.split() for line in lines if line.strip()]
    if len(figures) != 1 or len(figures[0]) < 2:
        raise BenchError(f"{' '.join(argv)}: printed no single `ROW NS` line")
    return float(figures[0][1])
