// SPDX-License-Identifier: MIT
// A URL and a reference, separated by a line feed. Normal forms are stable, and nothing in them can
// break a request line or a Host field.
#include "cuts.h"

#include "http/authority.h"
#include "http/chars.h"

#include <cuvee/base/error.h>
#include <cuvee/http/url.h>

#include <optional>
#include <string>

namespace {

using namespace cuvee::fuzz;
using namespace cuvee::http;

void check(const url& u) {
  require(detail::is_authority(u.authority()), "the authority is one");
  require(u.path().starts_with('/'), "the path begins with a slash");
  require(detail::all(u.target(), detail::chars::target), "the target can be sent");
  const url again(u.to_string_with_userinfo());
  if (again.to_string_with_userinfo() != u.to_string_with_userinfo())
    std::fprintf(stderr, "%s\n%s\n", u.to_string_with_userinfo().c_str(),
                 again.to_string_with_userinfo().c_str());
  require(again.to_string_with_userinfo() == u.to_string_with_userinfo(),
          "normal forms are stable");
  require(again.same_origin(u), "the origin is stable");
}

template <class Make>
std::optional<url> attempt(Make&& make) {
  try {
    std::optional<url> u(make());
    check(*u);
    return u;
  } catch (const cuvee::error& e) {
    for (const char* c = e.what(); *c; ++c)
      require(*c >= 0x20 && *c < 0x7f, "errors are printable");
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view reference = text.substr(std::min(end + 1, text.size()));
  const auto base = attempt([&] { return url(text.substr(0, end)); });
  if (base) attempt([&] { return base->resolve(reference); });
  const query_params q(reference);
  const query_params back(q.to_string());
  require(back.to_string() == q.to_string(), "queries are stable");
  return 0;
}
