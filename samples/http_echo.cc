// SPDX-License-Identifier: MIT
// Streams every request's body back to its sender: what arrives is sent before the next piece is read, so
// memory stays small whatever the size.
//   ./http_echo --port 8080 &  curl --data-binary @big.iso http://127.0.0.1:8080/ -o copy.iso
#include "http_server.h"

#include <limits>

namespace http = cuvee::http;

cuvee::task<> echo(http::request& request, http::response_writer& out) {
  if (auto type = request.header("Content-Type")) out.header("Content-Type", *type);
  if (auto length = request.content_length()) out.content_length(*length);
  while (auto piece = co_await request.body().next()) co_await out.write(*piece);
}

int main(int argc, char** argv) {
  http::app app;
  app.fallback(&echo);
  samples::http_server server("http_echo",
                              "Sends the body of every HTTP request back as it arrives.");
  constexpr auto no_limit = std::numeric_limits<std::uint64_t>::max();
  server.limits().body_bytes = no_limit;
  server.args().number<std::uint64_t>("--max-body BYTES", server.limits().body_bytes, 0, no_limit,
                                      "answer larger bodies with 413 (no limit)");
  return server.run(app, argc, argv);
}
