// SPDX-License-Identifier: MIT
// A script of lines `<verb><name>:<value>` on a `headers`; the wire form always parses back to the
// same fields.
#include "cuts.h"

#include "http/headers_access.h"
#include "http/parser.h"

#include <cuvee/base/error.h>

#include <string>

namespace {

using namespace cuvee::fuzz;
using namespace cuvee::http;
using namespace cuvee::http::detail;

void apply(headers& h, std::string_view line) {
  if (line.empty()) return;
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view name = line.substr(1, std::max<std::size_t>(colon, 1) - 1);
  const std::string_view value = line.substr(std::min(colon + 1, line.size()));
  try {
    if (line[0] == '-') h.erase(name);
    else if (line[0] == '=') h.set(name, value);
    else h.add(name, value);
  } catch (const cuvee::error&) {
  }
}

void parses_back(const headers& h) {
  limits l = response_limits();
  l.header_fields = 10000;
  l.header_bytes = 1024 * 1024;
  response_parser p(l);
  const std::string wire = "HTTP/1.1 200 OK\r\n" + std::string(h.wire()) + "\r\n";
  require(p.parse_head(wire).state == progress::complete, "the wire form parses");
  const headers back = headers_access::copy(p.arena());
  require(back.wire() == h.wire(), "the wire form is stable");
  require(back.size() == h.size(), "the number of fields is stable");
  for (header_field f : h) require(h.contains(f.name), "a field is found by its name");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 4096));
  headers h;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    apply(h, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  parses_back(h);
  return 0;
}
