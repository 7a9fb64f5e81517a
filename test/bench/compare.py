# SPDX-License-Identifier: MIT
"""Measuring several programs in turn, so that a change of the machine's speed hits all alike."""
import dataclasses
import os
import shutil
import statistics
import subprocess

from programs import BenchError
from report import Row

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"  # Debian's: the one that has its uvloop and aiohttp


@dataclasses.dataclass
class Contender:
    """A command to measure. `missing` says why it cannot run; `once` keeps slow peers to a round;
    `asked` marks one named by --against, for which a row is measured even without cuvee."""
    name: str
    argv: list
    missing: str = ""
    once: bool = False
    asked: bool = False


def built(settings, name, path, *arguments):
    """A program of the build folder."""
    program = os.path.join(settings.build, path)
    missing = "" if os.access(program, os.X_OK) else f"{path} is not built in {settings.build}"
    return Contender(name, [program, *arguments], missing)


def node(name, script, *arguments):
    missing = "" if shutil.which("node") else "node is not installed"
    return Contender(name, ["node", os.path.join(HERE, "peers", script), *arguments], missing)


def python(name, script, *arguments):
    return Contender(name, [PYTHON, os.path.join(HERE, "peers", script), *arguments],
                     _missing_modules())


def _missing_modules():
    if not hasattr(_missing_modules, "reason"):
        done = subprocess.run([PYTHON, "-c", "import aiohttp, uvloop"], capture_output=True)
        reason = "python3-aiohttp or python3-uvloop is not installed" if done.returncode else ""
        _missing_modules.reason = reason
    return _missing_modules.reason


def against(settings, section):
    """The extra contenders named with --against."""
    return [Contender(name, argv, asked=True)
            for where, name, argv in settings.against if where == section]


def present(report, contenders):
    for contender in contenders:
        if contender.missing:
            report.skip(contender.name, contender.missing)
    return [c for c in contenders if not c.missing]


class Comparison:
    """One row: a floor, cuvee's program and peers, measured by the same function in rounds."""

    def __init__(self, settings, report, name, unit, budget=None):
        self.settings, self.report = settings, report
        self.name, self.unit, self.budget = name, unit, budget

    def run(self, floor, own, others, measure):
        """`measure(contender)` gives one figure. Ratios are taken inside a round, then medians."""
        if floor and floor.missing:
            self.report.skip(self.name, floor.missing)
            return
        if own.missing and not any(other.asked for other in others):
            self.report.skip(self.name, own.missing)
            return
        runnable = [c for c in (floor, own) if c and not c.missing]
        others = present(self.report, others)
        self.report.progress(self.name)
        try:
            values, ratios = self._rounds(floor, runnable, others, measure)
        except BenchError as error:
            self.report.fail(self.name, str(error))
            return
        self.report.add(self._row(floor, own, others, values, ratios))

    def _rounds(self, floor, runnable, others, measure):
        values, ratios, broken = {}, {}, set()
        for turn in range(self.settings.rounds):
            base = None
            for contender in runnable + others:
                if contender.name in broken or (contender.once and turn > 0):
                    continue
                try:
                    value = measure(contender)
                except BenchError as error:
                    if contender not in others:
                        raise
                    broken.add(contender.name)
                    self.report.skip(f"{contender.name} in {self.name}", str(error))
                    continue
                if contender is floor:
                    base = value
                values.setdefault(contender.name, []).append(value)
                if base:
                    ratios.setdefault(contender.name, []).append(value / base)
        return values, ratios

    def _row(self, floor, own, others, values, ratios):
        def median(table, contender):
            figures = table.get(contender.name) if contender else None
            return statistics.median(figures) if figures else None

        peers = {c.name: (median(values, c), median(ratios, c)) for c in others
                 if c.name in values}
        return Row(self.name, self.unit, median(values, own), median(values, floor),
                   median(ratios, own), self.budget, of_value=floor is None, peers=peers)
