// SPDX-License-Identifier: MIT
#include <cuvee/http.h>

int main() {
  cuvee::http::app app;
  app.get("/", [] { return "Hello, World!"; });
  return cuvee::http::run(app, {.port = 8080, .workers = 2});
}
