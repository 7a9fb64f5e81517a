# SPDX-License-Identifier: MIT
"""Figures that do not depend on the machine's speed: instructions and allocations a request."""
import glob
import mmap
import os
import re
import shutil
import struct
import subprocess
import tempfile
import time

from keepalive import KeepAlive
from programs import BenchError, Server

WARM_UP, REQUESTS = 500, 4000


def missing_valgrind():
    found = shutil.which("valgrind") and shutil.which("callgrind_control")
    return "" if found else "valgrind is not installed"


def instructions(argv, path):
    """User-space instructions per keep-alive request, by callgrind."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "callgrind")
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"] + argv
        with Server(command) as server, KeepAlive(server.port, path) as connection:
            connection.get(WARM_UP)
            _control("-z", server.pid)
            connection.get(REQUESTS)
            _control("-d", server.pid)
            return _total(out) / REQUESTS


def _control(option, pid):
    done = subprocess.run(["callgrind_control", option, str(pid)], capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchError(f"callgrind_control {option}: {(done.stderr or done.stdout).strip()}")


def _total(out):
    # callgrind_control returns before the dump is written whole.
    for _ in range(100):
        for name in glob.glob(out + ".*"):
            with open(name) as dump:
                totals = re.findall(r"^(?:totals|summary): (\d+)", dump.read(), re.MULTILINE)
            if totals:
                return int(totals[-1])
        time.sleep(0.05)
    raise BenchError("callgrind wrote no totals")


def allocations(argv, path, library):
    """malloc, calloc, realloc and memalign calls per keep-alive request, steady state."""
    with tempfile.NamedTemporaryFile() as shared:
        shared.write(bytes(8))
        shared.flush()
        count = mmap.mmap(shared.fileno(), 8)
        env = {"LD_PRELOAD": library, "MALLOC_COUNT_FILE": shared.name}
        with Server(argv, env) as server, KeepAlive(server.port, path) as connection:
            connection.get(WARM_UP)
            before = struct.unpack("Q", count)[0]
            if before == 0:
                raise BenchError(f"{argv[0]}: the preloaded counter counts nothing")
            connection.get(REQUESTS)
            after = struct.unpack("Q", count)[0]
        return (after - before) / REQUESTS
