// SPDX-License-Identifier: MIT
// The smallest web server.
//   ./http_hello --port 8080 &  curl -i http://127.0.0.1:8080/
#include "http_server.h"

int main(int argc, char** argv) {
  cuvee::http::app app;
  app.get("/", [] { return "Hello, World!"; });  // a plain function costs no coroutine frame
  samples::http_server server("http_hello", "Answers GET / with `Hello, World!`, until Ctrl-C.");
  return server.run(app, argc, argv);
}
