# SPDX-License-Identifier: MIT
"""Rows of results, as one table or as one JSON object a line."""
import dataclasses
import json
import sys
from typing import Optional


@dataclasses.dataclass
class Row:
    """`budget` bounds the ratio to the floor, or the value itself where `of_value` is set."""
    name: str
    unit: str
    value: Optional[float]
    floor: Optional[float] = None
    ratio: Optional[float] = None
    budget: Optional[float] = None
    of_value: bool = False
    peers: dict = dataclasses.field(default_factory=dict)  # name -> (value, ratio)

    def passes(self):
        measured = self.value if self.of_value else self.ratio
        if self.budget is None or measured is None:
            return None
        return measured <= self.budget


def _short(number, digits=2):
    if number is None:
        return "-"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.{digits}f}"


def _json_number(number):
    return None if number is None else round(number, 4)


class Report:
    def __init__(self, as_json):
        self.as_json = as_json
        self.rows = []
        self.failures = 0
        self.skipped = set()

    def progress(self, text):
        print(f"... {text}", file=sys.stderr, flush=True)

    def skip(self, what, reason):
        if (what, reason) in self.skipped:
            return
        self.skipped.add((what, reason))
        print(f"skipped {what}: {reason}", file=sys.stderr, flush=True)

    def fail(self, what, reason):
        self.failures += 1
        print(f"failed {what}: {reason}", file=sys.stderr, flush=True)

    def add(self, row):
        self.rows.append(row)
        if self.as_json:
            self._print_json(row)

    def _print_json(self, row):
        self._print_object(row.name, row.value, row.unit, row.floor, row.ratio, row.budget,
                           row.passes())
        for peer, (value, ratio) in row.peers.items():
            self._print_object(f"{row.name} / {peer}", value, row.unit, row.floor, ratio, None,
                               None)

    @staticmethod
    def _print_object(name, value, unit, floor, ratio, budget, passes):
        print(json.dumps({"name": name, "value": _json_number(value), "unit": unit,
                          "floor": _json_number(floor), "ratio": _json_number(ratio),
                          "budget": budget, "pass": passes}), flush=True)

    def print_table(self):
        """One line a row; the peers' ratios to the same floor stand at its end."""
        lines = [["row", "value", "unit", "floor", "ratio", "budget", "", "peers"]]
        for row in self.rows:
            lines.append(_table_line(row))
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        for line in lines:
            cells = [cell.rjust(width) if i in (1, 3, 4) else cell.ljust(width)
                     for i, (cell, width) in enumerate(zip(line, widths))]
            print("  ".join(cells).rstrip())


def _table_line(row):
    budget = ""
    if row.budget is not None:
        budget = f"<= {row.budget:g}" + (f" {row.unit}" if row.of_value else " x")
    verdict = {True: "pass", False: "OVER", None: ""}[row.passes()]
    peers = "  ".join(_peer(name, value, ratio) for name, (value, ratio) in row.peers.items())
    return [row.name, _short(row.value), row.unit, _short(row.floor), _short(row.ratio), budget,
            verdict, peers]


def _peer(name, value, ratio):
    return f"{name} {_short(value)}" if ratio is None else f"{name} {_short(ratio)}x"
