// SPDX-License-Identifier: MIT
// N GETs by CONNS concurrent tasks through one client; prints how many were answered.
// usage: client_bench PORT N CONNS [PATH]
#include <cuvee/core.h>
#include <cuvee/http/client.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using cuvee::task;
namespace http = cuvee::http;

struct plan {
  http::url target;
  long left;
  long done = 0;
};

task<> get_some(http::client& client, plan& p) {
  while (p.left-- > 0) {
    auto page = co_await client.get(p.target);
    p.done += page.ok();
  }
}

task<int> run_bench(http::url target, long requests, long connections) {
  http::client_options options;
  options.max_connections = options.max_connections_per_host =
      static_cast<std::size_t>(connections);
  http::client client(options);
  plan p{std::move(target), requests};
  co_await cuvee::task_group([&](cuvee::group& g) -> task<> {
    for (long i = 0; i < connections; i++) g.spawn([&]() -> task<> { return get_some(client, p); });
    co_return;
  });
  std::printf("%ld\n", p.done);
  co_return p.done == requests ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: client_bench PORT N CONNS [PATH]\n");
    return 2;
  }
  std::string target = std::string("http://127.0.0.1:") + argv[1] + (argc > 4 ? argv[4] : "/");
  return cuvee::run(
      [&] { return run_bench(http::url(target), std::atol(argv[2]), std::atol(argv[3])); });
}
