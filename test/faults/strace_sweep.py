#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs sample programs under strace, which makes one system call fail in each run.

    test/faults/strace_sweep.py build/samples [--all] [--jobs N] [--show] [SCENARIO[/SYSCALL[/ERROR[/N]]]...]

A program must end by itself or at a SIGTERM, with an exit code and not by a signal, and must say what
failed where that code is not 0. What libuv aborts at is in KNOWN, and told in README.md here.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

# What may go wrong with a call in real life. The first of each is what a short sweep injects at all places.
ERRORS = {
    "accept4": ["EMFILE", "ECONNABORTED", "EINTR", "ENOMEM"],
    "bind": ["EADDRINUSE", "EACCES"],
    "clone": ["EAGAIN", "ENOMEM"],
    "clone3": ["EAGAIN", "ENOMEM"],
    "connect": ["ECONNREFUSED", "EINTR", "ENETUNREACH", "ETIMEDOUT"],
    "dup": ["EMFILE"],
    "epoll_create1": ["EMFILE", "ENOMEM"],
    "epoll_ctl": ["ENOMEM", "ENOSPC"],
    "epoll_pwait": ["EINTR"],
    "epoll_wait": ["EINTR"],
    "eventfd2": ["EMFILE", "ENOMEM"],
    "fstat": ["EIO"],
    "getpeername": ["ENOTCONN"],
    "getsockname": ["ENOBUFS"],
    "getsockopt": ["ENOBUFS"],
    "inotify_add_watch": ["ENOSPC", "ENOENT"],
    "inotify_init1": ["EMFILE"],
    "listen": ["EADDRINUSE"],
    "lseek": ["ESPIPE"],
    "mmap": ["ENOMEM"],
    "mprotect": ["ENOMEM"],
    "openat": ["EMFILE", "ENOENT", "EACCES"],
    "pidfd_open": ["EPERM", "ENOSYS", "EMFILE"],
    "pidfd_send_signal": ["EPERM"],
    "pipe2": ["EMFILE", "ENFILE"],
    "pread64": ["EIO"],
    "read": ["EIO", "EINTR", "ECONNRESET"],
    "readv": ["ECONNRESET", "EINTR"],
    "recvfrom": ["ECONNRESET", "EINTR"],
    "recvmsg": ["ECONNRESET", "EINTR"],
    "rt_sigaction": ["EINVAL"],
    "sendmsg": ["EPIPE", "EINTR"],
    "sendto": ["EPIPE", "EINTR"],
    "setsockopt": ["ENOPROTOOPT"],
    "shutdown": ["ENOTCONN"],
    "socket": ["EMFILE", "EACCES"],
    "statx": ["EACCES", "EIO"],
    "vfork": ["EAGAIN", "ENOMEM"],
    "waitid": ["EINTR"],
    "write": ["EPIPE", "EINTR", "ENOSPC"],
    "writev": ["EPIPE", "EINTR"],
}

LIMIT = 10.0  # seconds for a run; what sleeps in a sample takes less than one
CLIENT_LIMIT = 3.0

Run = collections.namedtuple("Run", "scenario syscall error at")


class Traced:
    """A program under strace, whose process is our own child (strace runs beside it)."""

    def __init__(self, argv, folder, strace_options):
        self.log = pathlib.Path(folder, "strace")
        self.out = open(pathlib.Path(folder, "out"), "w+b")
        self.err = open(pathlib.Path(folder, "err"), "w+b")
        self.process = subprocess.Popen(
            ["strace", "-D", "-f", "-qq", "-o", self.log, *strace_options, "--", *argv],
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err, cwd=f"{folder}/work",
            env={"PATH": os.environ["PATH"], "HOME": folder, "LC_ALL": "C"})
        self.deadline = time.monotonic() + LIMIT

    def text(self, stream):
        stream.flush()
        return pathlib.Path(stream.name).read_text(errors="replace")

    def wait_for(self, pattern):
        """Returns: the match in what it printed; nothing if it ended before."""
        while time.monotonic() < self.deadline:
            ended = self.process.poll() is not None
            found = re.search(pattern, self.text(self.out))
            if found or ended:
                return found
            time.sleep(0.005)
        return None

    def end(self, stop):
        """Returns: the exit status as subprocess has it, None if it had to be killed."""
        if stop and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(max(0.1, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None
        finally:
            self.out.close()
            self.err.close()


# ---- scenarios: what is run, and what is done with it


def tcp_client(port, wrap=lambda s: s):
    """Sends a few lines and reads them back; whatever goes wrong is the other side's to tell."""
    try:
        with socket.create_connection(("127.0.0.1", port), CLIENT_LIMIT) as plain:
            plain.settimeout(CLIENT_LIMIT)
            with wrap(plain) as s:
                for text in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"):
                    s.sendall(text)
                    if not s.recv(4096):
                        return
    except OSError:
        pass


def tls_wrap(plain):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain)


class Scenario:
    def __init__(self, name, arguments=(), drive=None, calls=tuple(ERRORS)):
        self.name, self.arguments, self.drive, self.calls = name, arguments, drive, calls

    def program(self):
        return self.name.split(":")[0]


def drive_server(wrap=lambda s: s):
    def drive(traced, _folder):
        listening = traced.wait_for(r"(?:listening on|forwarding) \S*:(\d+)")
        if listening:
            for _ in range(2):
                tcp_client(int(listening[1]), wrap)
        return True  # to be stopped
    return drive


def drive_udp(traced, _folder):
    listening = traced.wait_for(r"listening on \S*:(\d+)")
    for text in (b"some", b""):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            try:
                if listening:
                    s.sendto(text, ("127.0.0.1", int(listening[1])))
                    s.recv(100)
            except OSError:
                pass
    return True


def drive_tail(traced, folder):
    log = pathlib.Path(folder, "work/log")
    if traced.wait_for("first"):
        with log.open("a") as f:
            f.write("second\n")
        traced.deadline -= 4  # what it shall show comes at once, or it has ended
        traced.wait_for("second")
        traced.deadline += 4
    return True


def scenarios(samples, shared):
    http = f"http://127.0.0.1:{shared.http_port}/"
    certificate = ["--cert", shared.certificate, "--key", shared.key]
    every = [
        Scenario("run_commands", calls=["vfork", "pidfd_open", "pidfd_send_signal", "waitid"]),
        Scenario("pipeline", ["echo text", "cat"]),
        Scenario("echo_server", ["--port", "0"], drive_server()),
        Scenario("http_hello", ["--port", "0"], drive_server()),
        Scenario("fetch", ["-o", "page", http, http]),
        Scenario("tls_echo", [*certificate, "--port", "0"], drive_server(tls_wrap)),
        Scenario("port_forward", ["--port", "0", "127.0.0.1", str(shared.http_port)],
                 drive_server()),
        Scenario("tail_f", ["log"], drive_tail),
        Scenario("udp_echo", ["--port", "0"], drive_udp),
        Scenario("udp_echo:client", ["--port", str(shared.udp_port), "--wait", "0.1", "a", "b"]),
    ]
    return {s.name: s for s in every if (samples / s.program()).exists()}


class Shared:
    """What all runs may use: a web server and a UDP server of the samples' own, a certificate."""

    def __init__(self, samples, folder):
        self.certificate, self.key = f"{folder}/cert.pem", f"{folder}/key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-days", "30", "-subj", "/CN=localhost", "-keyout", self.key, "-out",
             self.certificate], check=True, capture_output=True)
        self.servers = []
        self.http_port = self.serve(samples / "http_hello")
        self.udp_port = self.serve(samples / "udp_echo")

    def serve(self, program):
        server = subprocess.Popen([program, "--port", "0"], stdout=subprocess.PIPE, text=True)
        self.servers.append(server)
        return int(server.stdout.readline().strip().rstrip("/").rsplit(":", 1)[1])

    def stop(self):
        for server in self.servers:
            server.terminate()
            server.wait()


def execute(samples, scenario, strace_options):
    """Returns: exit status, stdout, stderr, strace's log."""
    with tempfile.TemporaryDirectory(prefix="cuvee-sweep-") as folder:
        work = pathlib.Path(folder, "work")  # apart from strace's file, as tail_f watches it
        work.mkdir()
        (work / "log").write_text("first\n")
        traced = Traced([samples / scenario.program(), *scenario.arguments], folder, strace_options)
        stop = scenario.drive(traced, folder) if scenario.drive else False
        status = traced.end(stop)
        out, err = (pathlib.Path(folder, n).read_text(errors="replace") for n in ("out", "err"))
        return status, out, err, traced.process.pid, log_of(traced.log)


def log_of(path):
    """strace may write its last lines after the program has ended."""
    for _ in range(100):
        text = path.read_text(errors="replace") if path.exists() else ""
        if re.search(r"\+\+\+ (exited|killed)[^\n]*\n\Z", text):
            break
        time.sleep(0.01)
    return text


CALL = re.compile(r"^(\d+) +(\w+)\(")


def places(log, main):
    """How often a thread makes each call: {syscall: (first of the program's own, last)}. Calls of the
    dynamic linker, until it unmaps its cache, are not the program's."""
    counts = collections.defaultdict(collections.Counter)
    first = {}
    for line in log.splitlines():
        call = CALL.match(line)
        if not call:
            continue
        thread, name = call[1], call[2]
        if int(thread) == main and name == "munmap" and not first:
            first = {n: c for n, c in counts[thread].items()}
            first["munmap"] = 1
        counts[thread][name] += 1
    result = {}
    for name in ERRORS:
        last = max((c[name] for c in counts.values()), default=0)
        begin = first.get(name, 0) + 1
        if last >= begin:
            result[name] = (begin, last)
    return result


def chosen(begin, last, every):
    if every:
        return range(begin, last + 1)
    return sorted({*range(begin, min(begin + 2, last + 1)), last})


# ---- verdicts

# At these libuv aborts, by design; README.md says why. The number: not at the calls before that one of its thread.
KNOWN = {
    "its lock for signals": (1, r'(read\(\d+, 0x\w+, 1\)|write\(\d+, "\*", 1\))'),
    "waking a loop": (1, r'(read\(\d+, 0x\w+, 1024\)|write\(\d+, "\\1(\\0){7}", 8\))'),
    "changes of names": (1, r"read\(\d+, 0x\w+, 4096\)"),
    "watching": (1, r"epoll_ctl\(\d+, EPOLL_CTL_(DEL|MOD)"),
    "making the lock": (2, r"pipe2\(0x\w+, O_CLOEXEC\)"),
    "threads of its pool": (5, r"(clone3?\(|mmap\(.*MAP_STACK|mprotect\(.*PROT_READ\|PROT_WRITE)"),
}

def known(line, at):
    return any(at >= first and re.search(pattern, line) for first, pattern in KNOWN.values())


MESSAGE = re.compile(r"^[\w.]+: .+: .+$", re.MULTILINE)


def judge(at, status, err, log, stopped):
    """Returns: what is wrong; nothing if all is well; False if the fault did not come about."""
    injected = [line for line in log.splitlines() if "(INJECTED)" in line]
    if not injected:
        return False
    said = err.strip().splitlines()
    if status is None:  # its handler gives up where it does not get the lock: our SIGTERM was not heard
        return "" if stopped and re.search(KNOWN["its lock for signals"][1], injected[0]) else "hung"
    if stopped and status in (128 + signal.SIGTERM, -signal.SIGTERM):  # as it should, or just behind its end
        return ""
    if status == -signal.SIGABRT and "terminate called" not in err and known(injected[0], at):
        return ""
    if status < 0:
        return f"killed by {signal.Signals(-status).name}: {said[-1:] or injected[0]}"
    mute = any(re.match(r"\d+ +writev?\([12],", line) for line in injected)
    if status != 0 and not mute and not MESSAGE.search(err):
        return f"exit code {status} and no message: {said[-1:]}"
    return ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("samples", type=pathlib.Path)
    parser.add_argument("only", nargs="*", metavar="SCENARIO[/SYSCALL[/ERROR[/N]]]")
    parser.add_argument("--all", action="store_true", help="each call with each of its errors")
    parser.add_argument("--jobs", type=int, default=4 * (os.cpu_count() or 1),
                        help="at a time; they mostly wait")
    parser.add_argument("--show", action="store_true", help="print what each run ended with")
    options = parser.parse_args()
    samples = options.samples.resolve()
    if not shutil.which("strace") or subprocess.run(["strace", "-o", os.devnull, "true"],
                                                    capture_output=True).returncode != 0:
        print("skipped: strace is not installed, or not allowed")
        return 0
    with tempfile.TemporaryDirectory(prefix="cuvee-sweep-") as folder:
        shared = Shared(samples, folder)
        try:
            return sweep(options, samples, scenarios(samples, shared))
        finally:
            shared.stop()


def plan(options, samples, scenario):
    status, out, err, pid, log = execute(samples, scenario, ["-e", "trace=munmap," + ",".join(ERRORS)])
    if status not in (0, -signal.SIGTERM, 130, 143):
        sys.exit(f"{scenario.name} fails without a fault: {status}\n{out}{err}")
    for syscall, (begin, last) in sorted(places(log, pid).items()):
        if syscall not in scenario.calls:
            continue
        errors = ERRORS[syscall]
        for i, at in enumerate(chosen(begin, last, options.all)):
            for error in errors if options.all or i == 0 else errors[:1]:
                yield Run(scenario.name, syscall, error, at)


def wanted(options, run):
    if not options.only:
        return True
    path = "/".join(map(str, run)) + "/"
    return any(path.startswith(only.rstrip("/") + "/") for only in options.only)


def sweep(options, samples, known_scenarios):
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        names = {only.split("/")[0] for only in options.only} or set(known_scenarios)
        plans = pool.map(lambda n: list(plan(options, samples, known_scenarios[n])), sorted(names))
        runs = [r for p in plans for r in p if wanted(options, r)]

        def one(run):
            inject = f"inject={run.syscall}:error={run.error}:when={run.at}"
            scenario = known_scenarios[run.scenario]
            status, _, err, _, log = execute(
                samples, scenario, ["-e", f"trace={run.syscall}", "-e", inject])
            return run, status, err, judge(run.at, status, err, log, scenario.drive is not None)

        tally, codes = collections.Counter(), collections.Counter()
        for run, status, err, verdict in pool.map(one, runs):
            name = "/".join(map(str, run))
            tally["missed" if verdict is False else "bad" if verdict else "good"] += 1
            codes[status] += 1
            if verdict or options.show:
                print(f"{name}: {verdict or status} {err.strip()[-200:] if options.show else ''}",
                      flush=True)
    print(f"strace sweep: {tally['good']} of {len(runs)} runs as they should be, {tally['bad']} not,"
          f" {tally['missed']} without a fault; exit codes {dict(codes)};"
          f" {time.monotonic() - started:.0f} s")
    return 1 if tally["bad"] else 0


if __name__ == "__main__":
    sys.exit(main())
