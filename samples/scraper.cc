// SPDX-License-Identifier: MIT
// Downloads pages concurrently through one client and tells the size of each as it arrives. A page
// that cannot be had is one line on stderr; the others go on.
//   ./scraper --concurrency 4 http://127.0.0.1:8080/ http://127.0.0.1:8080/html
#include <cuvee/core.h>
#include <cuvee/http.h>

#include "args.h"
#include "client_tls.h"

#include <cinttypes>
#include <cstdio>

namespace http = cuvee::http;

struct scrape {
  std::vector<std::string> urls;
  http::client_options options;
  http::client client{};
  std::size_t next = 0;
  std::size_t succeeded = 0;
  std::uint64_t bytes = 0;
};

// Pulls the body piece by piece, so pages of any size need little memory.
cuvee::task<std::uint64_t> download(http::client& client, const std::string& url) {
  auto page = co_await client.open(http::client_request(http::method::get, url));
  if (page.status() >= 400) throw http::http_error(page.status());
  std::uint64_t size = 0;
  while (auto piece = co_await page.body().next()) size += piece->size();
  co_return size;
}

// One of several that take turns at the list.
cuvee::task<> download_next(scrape& s) {
  while (s.next < s.urls.size()) {
    const std::string& url = s.urls[s.next++];
    try {
      std::uint64_t size = co_await download(s.client, url);
      s.succeeded++;
      s.bytes += size;
      std::printf("Downloaded %s, size %" PRIu64 "\n", url.c_str(), size);
      std::fflush(stdout);
    } catch (const http::http_error& e) {
      std::fprintf(stderr, "scraper: get %s: %d %s\n", url.c_str(), e.status(), e.detail().c_str());
    } catch (const cuvee::error& e) {
      std::fprintf(stderr, "scraper: %s\n", e.what());
    }
  }
}

cuvee::task<int> amain(scrape& s, std::size_t concurrency, samples::client_tls& tls) {
  s.options.tls = tls.context();
  s.client = http::client(s.options);
  cuvee::time_point start = cuvee::loop::current().now();
  co_await cuvee::task_group([&](cuvee::group& g) -> cuvee::task<> {
    for (std::size_t i = 0; i < std::min(concurrency, s.urls.size()); i++)
      g.spawn([&s] { return download_next(s); });
    co_return;
  });
  std::chrono::duration<double> took = cuvee::loop::current().now() - start;
  std::printf("Downloaded %zu of %zu URLs, %" PRIu64 " bytes in %.3f s\n", s.succeeded,
              s.urls.size(), s.bytes, took.count());
  co_return s.succeeded == s.urls.size() ? 0 : 1;
}

int main(int argc, char** argv) {
  std::size_t concurrency = 16;
  double timeout = 300;
  scrape s;
  samples::args args("scraper", "Downloads URLs concurrently and prints their sizes.");
  args.number<std::size_t>("--concurrency N", concurrency, 1, 10000, "downloads at once (16)")
      .number<double>("--timeout SECONDS", timeout, 0.001, 1e6, "for each download (300)")
      .positionals("URL...", s.urls, 1);
  samples::client_tls tls(args);
  if (auto status = args.parse(argc, argv)) return *status;
  s.options.max_connections = s.options.max_connections_per_host = concurrency;
  s.options.total_timeout =
      std::chrono::duration_cast<cuvee::duration>(std::chrono::duration<double>(timeout));
  return cuvee::run([&] { return amain(s, concurrency, tls); });
}
