// SPDX-License-Identifier: MIT
// The handlers that the HTTP rows measure beside the sample http_hello.
// usage: http_bench_server --port N
#include <cuvee/http.h>

#include <cstdio>
#include <cstdlib>

using namespace cuvee;
using namespace std::chrono_literals;

int main(int count, char** arguments) {
  http::app app;
  app.get("/", [] { return "Hello, World!"; });
  app.get("/co", []() -> task<http::response> { co_return http::response("Hello, World!"); });
  app.get("/sleep", []() -> task<http::response> {
    co_await cuvee::sleep(1ms);
    co_return http::response("slept");
  });
  app.post("/sink", [](http::request& req) -> task<http::response> {
    std::size_t size = 0;
    while (auto chunk = co_await req.body().next()) size += chunk->size();
    co_return http::response(std::to_string(size));
  });
  http::serve_options options;
  options.port = static_cast<std::uint16_t>(count > 2 ? std::atoi(arguments[2]) : 8080);
  options.limits.body_bytes = ~std::uint64_t{0};
  options.on_listening = [](const endpoint& at) {
    std::printf("listening on http://%s\n", at.to_string().c_str());
    std::fflush(stdout);
  };
  return http::run(app, options);
}
