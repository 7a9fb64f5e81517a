# SPDX-License-Identifier: MIT
"""Starting, watching and ending the programs that are measured."""
import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time

CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU, LOAD_CPU = CPUS[0], CPUS[-1]

_running = set()  # process groups that must not outlive the harness


class BenchError(Exception):
    """A row cannot be measured; the text says why."""


def end_all():
    """Ends every program that is still running. Last resort, also on Ctrl-C."""
    for group in list(_running):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    _running.clear()


def pinned(argv, cpu):
    return ["taskset", "-c", str(cpu)] + argv


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fill(argv, **values):
    """The command with {port} and the like filled in."""
    for name, value in values.items():
        argv = [word.replace("{" + name + "}", str(value)) for word in argv]
    return argv


def run_tool(argv, cpu):
    """Runs a load generator or a micro-benchmark to its end and returns what it printed."""
    return run_metered(argv, cpu)[0]


def run_metered(argv, cpu):
    """As run_tool, and the CPU seconds the program took."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(pinned(argv, cpu), stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=err, start_new_session=True)
        _running.add(child.pid)
        _, status, usage = os.wait4(child.pid, 0)
        _running.discard(child.pid)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        text, errors = out.read().decode(), err.read().decode()
    if child.returncode != 0:
        detail = (errors.strip() or text.strip()).splitlines()[-1:]
        raise BenchError(f"{' '.join(argv)}: exit {child.returncode} {' '.join(detail)}")
    return text, usage.ru_utime + usage.ru_stime


class Server:
    """A server on a free port, or where its command says `{path}` on a unix socket, pinned, in a process group of its
    own; a context manager. `address` is that port or path."""

    def __init__(self, argv, env=None):
        self.folder = None
        if any("{path}" in word for word in argv):
            self.folder = tempfile.TemporaryDirectory()
            self.address = os.path.join(self.folder.name, "socket")
        else:
            self.port = self.address = free_port()
        self.argv = fill(argv, port=self.address, path=self.address)
        self.env = dict(os.environ, **(env or {}))

    def __enter__(self):
        self.errors = tempfile.TemporaryFile()
        self.child = subprocess.Popen(pinned(self.argv, SERVER_CPU), stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=self.errors,
                                      start_new_session=True, env=self.env)
        self.pid = self.child.pid
        _running.add(self.pid)
        try:
            self._wait_until_listening()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        try:
            self.child.wait(3)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):  # whatever the leader left behind
            os.killpg(self.pid, signal.SIGKILL)
        self.child.wait()
        self.errors.close()
        if self.folder:
            self.folder.cleanup()
        _running.discard(self.pid)

    def _wait_until_listening(self, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.check_alive()
            try:
                self.connect().close()
                return
            except OSError:
                time.sleep(0.02)
        raise BenchError(f"{self.argv[0]}: does not listen on {self.address}")

    def connect(self):
        if not self.folder:
            return socket.create_connection(("127.0.0.1", self.port), 1)
        client = socket.socket(socket.AF_UNIX)
        client.connect(self.address)
        return client

    def resident_bytes(self):
        """What the server's process has in memory of its own, without what the kernel keeps for it."""
        with open(f"/proc/{self.pid}/smaps_rollup") as rollup:
            figures = dict(line.split(":", 1) for line in rollup if line.endswith("kB\n"))
        return sum(int(figures[name].split()[0]) for name in ("Private_Clean", "Private_Dirty")) * 1024

    def check_alive(self):
        if self.child.poll() is None:
            return
        self.errors.seek(0)
        detail = self.errors.read().decode(errors="replace").strip().splitlines()[-1:]
        raise BenchError(f"{self.argv[0]}: ended with {self.child.returncode} {' '.join(detail)}")

    def cpu_seconds(self):
        """User and system time of the whole process tree, at the grain of the scheduler."""
        return sum(_cpu_ns(pid) for pid in _tree(self.pid)) / 1e9


def _tree(pid):
    pids = [pid]
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as children:
                for child in children.read().split():
                    pids += _tree(int(child))
    return pids


def _cpu_ns(pid):
    total = 0
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat") as schedstat:
                total += int(schedstat.read().split()[0])
    return total
