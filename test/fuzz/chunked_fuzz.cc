// SPDX-License-Identifier: MIT
// The chunked decoder against llhttp's own. Where both accept, they must agree on the body and on
// its end. llhttp accepts more on purpose of ours (bare line feeds, any length). Ours may accept
// what llhttp does not only in chunk extensions and trailers: llhttp knows no blanks and no
// escaped characters in the former and judges the latter as header fields.
#include "cuts.h"

#include "http/body.h"

#include <llhttp.h>

#include <string>

namespace {

using namespace cuvee::fuzz;
using namespace cuvee::http;
using namespace cuvee::http::detail;

struct result {
  bool complete = false;
  std::size_t used = 0;
  std::string body;
};

result with_ours(std::string_view wire, const limits& l, bool& trailers) {
  body_decoder d;
  d.begin({framing::chunked, 0}, l, l.body_bytes);
  std::string buffer(wire);
  const body_step s = d.decode(buffer, buffer.data());
  trailers = d.trailers().field_count() != 0;
  return {s.state == progress::complete, s.used, buffer.substr(0, s.produced)};
}

result with_llhttp(std::string_view wire) {
  result r;
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_body = [](llhttp_t* p, const char* at, std::size_t n) {
    static_cast<result*>(p->data)->body.append(at, n);
    return 0;
  };
  settings.on_message_complete = [](llhttp_t* p) -> int {
    static_cast<result*>(p->data)->complete = true;
    return HPE_PAUSED;
  };
  llhttp_t p;
  llhttp_init(&p, HTTP_REQUEST, &settings);
  p.data = &r;
  constexpr std::string_view head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  require(llhttp_execute(&p, head.data(), head.size()) == HPE_OK, "llhttp takes the head");
  if (llhttp_execute(&p, wire.data(), wire.size()) == HPE_PAUSED)
    r.used = static_cast<std::size_t>(llhttp_get_error_pos(&p) - wire.data());
  return r;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view wire(reinterpret_cast<const char*>(data), size);
  limits l;
  bool trailers = false;
  const result ours = with_ours(wire, l, trailers);
  const result theirs = with_llhttp(wire);
  if (ours.complete && theirs.complete) {
    require(ours.body == theirs.body, "the bodies agree");
    require(ours.used == theirs.used, "the ends agree");
  } else if (ours.complete) {
    const bool extended = wire.substr(0, ours.used).find(';') != wire.npos;
    require(extended || trailers, "what ours accepts, llhttp accepts");
  }
  return 0;
}
