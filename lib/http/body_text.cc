// SPDX-License-Identifier: MIT
#include <cuvee/base/error.h>
#include <cuvee/http/body.h>

namespace cuvee::inline v0::http {

task<std::string> body::text(std::uint64_t most_bytes) {
  std::string all;
  while (auto chunk = co_await next()) {
    if (chunk->size() > most_bytes - all.size())
      throw error(errc::limit_exceeded, "read body", {},
                  "larger than " + std::to_string(most_bytes) + " bytes");
    all += *chunk;
  }
  co_return all;
}

}  // namespace cuvee::inline v0::http
