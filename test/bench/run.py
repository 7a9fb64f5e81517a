#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures cuvee beside hand-written C floors and the peers that are installed."""
import argparse
import os
import shlex
import signal
import sys

sys.dont_write_bytecode = True  # the source tree stays clean

import client_rows
import core_rows
import http_rows
import io_rows
from programs import BenchError, end_all
from report import Report

SECTIONS = {"http": http_rows, "io": io_rows, "core": core_rows, "client": client_rows}

EPILOG = """
A ratio is taken inside one round against the floor of the same round; medians are printed.
Programs come from the build folder, configured with -Dbench=true. What is absent is skipped with
a reason on stderr. Exit status: 0 when all rows that could run did, 1 when one failed, whatever
the budgets say; --json gives one object a line: name, value, unit, floor, ratio, budget, pass.

An ad-hoc contender: --against 'http:other=./server {port}', --against 'io:other=./echo {port}',
--against 'client:other=./client {port} {n} {conns} {path}', --against 'core:other=./micro {row}'.
"""


def parse_against(text):
    section, _, rest = text.partition(":")
    name, _, command = rest.partition("=")
    if section not in SECTIONS or not name or not command:
        raise argparse.ArgumentTypeError(f"{text}: expected SECTION:NAME=COMMAND")
    return section, name, shlex.split(command)


def parse_settings():
    default_build = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build")
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="http|io|core|client",
                        help="what to measure (all)")
    parser.add_argument("--json", action="store_true", help="one object a line, no table")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (3)")
    parser.add_argument("--secs", type=int, default=3, dest="seconds",
                        help="seconds of load a measurement (3)")
    parser.add_argument("--build", default=os.path.normpath(default_build),
                        help="build folder (build)")
    parser.add_argument("--no-peers", action="store_false", dest="peers",
                        help="only the floors and cuvee")
    parser.add_argument("--quick", action="store_true",
                        help="one round of one second, no peers: does everything run?")
    parser.add_argument("--against", type=parse_against, action="append", default=[],
                        metavar="SECTION:NAME=COMMAND", help="measure another program too")
    settings = parser.parse_args()
    unknown = [s for s in settings.sections if s not in SECTIONS]
    if unknown:
        parser.error(f"unknown section {unknown[0]}: expected http, io, core or client")
    if settings.rounds < 1 or settings.seconds < 1:
        parser.error("--rounds and --secs take positive numbers")
    if settings.quick:
        settings.rounds = settings.seconds = 1
        settings.peers = False
    settings.build = os.path.abspath(settings.build)
    return settings


def stop(number, _frame):
    raise SystemExit(128 + number)


def main():
    settings = parse_settings()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    report = Report(settings.json)
    try:
        for section in settings.sections or SECTIONS:
            try:
                SECTIONS[section].rows(settings, report)
            except BenchError as error:
                report.fail(section, str(error))
    finally:
        end_all()
        if not settings.json and report.rows:
            report.print_table()
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
