# SPDX-License-Identifier: MIT
"""HTTP clients against one fast server: the client's own CPU per request."""
import compare
from compare import Comparison
from programs import BenchError, LOAD_CPU, Server, fill, run_metered

CONNECTIONS = 64
ARGUMENTS = ("{port}", "{n}", "{conns}", "{path}")


def rows(settings, report):
    server = compare.built(settings, "floor", "test/bench/floor_http", "{port}")
    if server.missing:
        report.skip("client rows", server.missing)
        return
    floor = compare.built(settings, "floor", "test/bench/floor_client", *ARGUMENTS)
    own = compare.built(settings, "cuvee", "test/bench/client_bench", *ARGUMENTS)
    peers = compare.against(settings, "client") + _peers(settings)
    requests = 20000 if settings.quick else 15000 * settings.seconds
    with Server(server.argv) as running:
        def measure(contender):
            count = requests // 5 if contender.once else requests
            return _per_request(contender, running.port, count)
        Comparison(settings, report, f"http client, {CONNECTIONS} connections",
                   "us cpu/request", 1.10).run(floor, own, peers, measure)


def _peers(settings):
    if not settings.peers:
        return []
    peers = [
        compare.built(settings, "libcurl", "test/bench/peer_client_curl", *ARGUMENTS),
        compare.node("node http", "client_node.js", "http", *ARGUMENTS),
        compare.node("node fetch", "client_node.js", "fetch", *ARGUMENTS),
        compare.python("aiohttp", "client_aiohttp.py", *ARGUMENTS),
    ]
    for peer in peers[2:]:
        peer.once = True
    return peers


def _per_request(contender, port, requests):
    """Microseconds; a second, short run takes start-up and connecting off."""
    def spent(count):
        argv = fill(contender.argv, port=port, n=count, conns=CONNECTIONS, path="/")
        text, cpu = run_metered(argv, LOAD_CPU)
        if text.split()[-1:] != [str(count)]:
            raise BenchError(f"{' '.join(argv)}: did not print {count}")
        return cpu
    return (spent(requests + CONNECTIONS) - spent(CONNECTIONS)) / requests * 1e6
