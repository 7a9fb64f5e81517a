// SPDX-License-Identifier: MIT
#include <cuvee/http/request.h>

#include "connection.h"
#include "headers_access.h"

namespace cuvee::inline v0::http {

http::method request::method() const noexcept { return connection_->head().verb(); }
std::string_view request::target() const noexcept { return connection_->head().target(); }
std::string_view request::path() const noexcept { return connection_->head().path(); }
std::string_view request::raw_query() const noexcept { return connection_->head().query(); }
std::string_view request::authority() const noexcept { return connection_->head().authority(); }
int request::minor_version() const noexcept { return connection_->head().minor_version(); }

std::optional<std::string_view> request::header(std::string_view name) const noexcept {
  std::string_view value = connection_->head().find(name);
  if (!value.data()) return std::nullopt;
  return value;
}
std::size_t request::header_count() const noexcept { return connection_->head().field_count(); }
header_field request::header(std::size_t i) const noexcept {
  detail::field_view f = connection_->head().field(static_cast<std::uint32_t>(i));
  return {f.name, f.value};
}
headers request::copy_headers() const {
  return detail::headers_access::copy(connection_->head().arena());
}

std::string request::param(std::string_view name) const {
  const detail::route_match& m = connection_->matched();
  if (!m.found) return {};
  for (std::size_t i = 0; i < m.count; i++)
    if (m.found->names[i] == name) return percent_decode(m.values[i]);
  return {};
}

http::body& request::body() noexcept { return connection_->request_body(); }
bool request::has_body() const noexcept { return !connection_->request_framing().empty(); }
std::optional<std::uint64_t> request::content_length() const noexcept {
  detail::body_framing f = connection_->request_framing();
  if (f.kind == detail::framing::length) return f.length;
  return std::nullopt;
}

bool request::is_https() const noexcept { return connection_->options().tls != nullptr; }
endpoint request::peer() const { return connection_->block().peer(); }
bool request::disconnected() const noexcept {
  const v0::detail::stream_block& b = connection_->block();
  return b.finished();
}

}  // namespace cuvee::inline v0::http
