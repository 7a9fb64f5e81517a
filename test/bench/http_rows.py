# SPDX-License-Identifier: MIT
"""HTTP servers: server CPU per request under wrk, instructions and allocations per request."""
import os
import re
import shutil
import tempfile

import compare
import counts
from compare import Comparison, Contender
from keepalive import KeepAlive
from programs import BenchError, LOAD_CPU, Server, run_tool
from report import Row

CONNECTIONS = 64

NGINX = """daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr emerg;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder};
  proxy_temp_path {folder};
  fastcgi_temp_path {folder};
  uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{{port}};
    location / {{ default_type text/plain; return 200 "Hello, World!"; }}
  }}
}}
"""


def rows(settings, report):
    with tempfile.TemporaryDirectory() as folder:
        _wrk_rows(settings, report, folder)
    _count_rows(settings, report)


def contenders(settings):
    floor = compare.built(settings, "floor", "test/bench/floor_http", "{port}")
    own = compare.built(settings, "cuvee", "samples/http_hello", "--port", "{port}")
    coroutine = compare.built(settings, "cuvee", "test/bench/http_bench_server",
                              "--port", "{port}")
    return floor, own, coroutine


def _peers(settings, folder):
    extra = compare.against(settings, "http")
    if not settings.peers:
        return extra
    return extra + [
        _nginx(folder),
        compare.built(settings, "beast", "test/bench/peer_http_beast", "{port}"),
        compare.node("node", "http_node.js", "{port}"),
        compare.python("aiohttp", "http_aiohttp.py", "{port}"),
    ]


def _nginx(folder):
    # The port is known only when the server starts: a shell writes it into the configuration.
    template = os.path.join(folder, "nginx.template")
    with open(template, "w") as out:
        out.write(NGINX.format(folder=folder).replace("{port}", "@PORT@"))
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    script = (f"sed s/@PORT@/$0/ {template} > {folder}/nginx.conf && "
              f"exec {program} -p {folder} -c {folder}/nginx.conf")
    return Contender("nginx", ["sh", "-c", script, "{port}"],
                     "" if program else "nginx is not installed")


def _wrk_rows(settings, report, folder):
    if not shutil.which("wrk"):
        report.skip("http rows under load", "wrk is not installed")
        return
    floor, own, coroutine = contenders(settings)
    peers = _peers(settings, folder)
    load = _Wrk(settings)
    unit = "us cpu/request"

    def plain(contender):
        return load.measure(contender, "/", [])

    def pipelined(contender):
        return load.measure(contender, "/",
                            ["-s", os.path.join(compare.HERE, "pipeline.lua")])

    def handler(contender):
        return load.measure(contender, "/co" if contender is coroutine else "/", [])

    name = f"http hello, {CONNECTIONS} connections"
    Comparison(settings, report, name, unit, 1.05).run(floor, own, peers, plain)
    name = "http hello, 16 pipelined"
    Comparison(settings, report, name, unit, 1.2).run(floor, own, peers, pipelined)
    name = "http hello, coroutine handler"
    Comparison(settings, report, name, unit).run(floor, coroutine, [], handler)


class _Wrk:
    def __init__(self, settings):
        self.seconds = settings.seconds

    def measure(self, contender, path, options):
        """Server CPU per request in microseconds."""
        with Server(contender.argv) as server:
            with KeepAlive(server.port, path) as connection:
                connection.get(2)
            self._load(server, path, options, 1)
            before = server.cpu_seconds()
            requests = self._load(server, path, options, self.seconds)
            after = server.cpu_seconds()
            server.check_alive()
        return (after - before) / requests * 1e6

    @staticmethod
    def _load(server, path, options, seconds):
        url = f"http://127.0.0.1:{server.port}{path}"
        text = run_tool(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *options, url],
                        LOAD_CPU)
        done = re.search(r"(\d+) requests in", text)
        trouble = re.search(r"Non-2xx.*|Socket errors.*", text)
        if trouble or not done or int(done[1]) == 0:
            raise BenchError(f"wrk: {trouble[0] if trouble else 'no requests'}")
        return int(done[1])


def _count_rows(settings, report):
    floor, own, coroutine = contenders(settings)
    library = os.path.join(settings.build, "test/bench/libmalloc_count.so")

    def instructions(contender, path):
        return counts.instructions(contender.argv, path)

    def allocations(contender, path):
        return counts.allocations(contender.argv, path, library)

    absent = counts.missing_valgrind()
    count = _Count(report, floor, instructions, "instr/request", absent)
    count.run("http instructions", own, "/", 3400)
    count.run("http instructions, coroutine handler", coroutine, "/co", 3700)
    absent = "" if os.path.exists(library) else f"{library} is not built"
    count = _Count(report, floor, allocations, "allocs/request", absent)
    count.run("http allocations", own, "/", 0)
    count.run("http allocations, coroutine handler", coroutine, "/co", 0)


class _Count:
    """Rows whose figures do not change from run to run: measured once, the floor first."""

    def __init__(self, report, floor, measure, unit, missing):
        self.report, self.floor, self.measure = report, floor, measure
        self.unit, self.missing = unit, missing
        self.base = None

    def run(self, name, contender, path, budget):
        missing = self.missing or self.floor.missing or contender.missing
        if missing:
            self.report.skip(name, missing)
            return
        self.report.progress(name)
        try:
            if self.base is None:
                self.base = self.measure(self.floor, "/")
            value = self.measure(contender, path)
        except BenchError as error:
            self.report.fail(name, str(error))
            return
        ratio = value / self.base if self.base else None
        self.report.add(Row(name, self.unit, value, self.base, ratio, budget, of_value=True))
