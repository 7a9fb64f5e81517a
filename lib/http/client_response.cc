// SPDX-License-Identifier: MIT
#include <cuvee/http/client_response.h>

#include "chars.h"
#include "client_exchange.h"
#include "headers_access.h"

#include <cstring>

namespace cuvee::inline v0::http {

namespace detail {

kept_head::kept_head(const head_arena& from)
    : size_(from.size()),
      fields_(from.field_count()),
      block_(static_cast<char*>(v0::detail::frame_pool_get(block_size()))) {
  auto* table = reinterpret_cast<raw_field*>(block_);
  for (std::uint32_t i = 0; i < fields_; i++) ::new (table + i) raw_field(from.field(i));
  std::memcpy(block_ + fields_ * sizeof(raw_field), from.data(), size_);
}

response_record::response_record(const response_parser& from, const http::url& answered)
    : head(from.arena()),
      status(static_cast<std::uint16_t>(from.status())),
      minor(static_cast<std::uint8_t>(from.minor_version())),
      url(answered) {
  const std::string_view phrase = from.reason();
  if (!phrase.empty())
    reason = {static_cast<std::uint32_t>(phrase.data() - from.arena().data()),
              static_cast<std::uint32_t>(phrase.size())};
}

void response_deleter::operator()(response_record* r) const noexcept { delete r; }
void response_deleter::operator()(download* d) const noexcept { delete d; }

}  // namespace detail

int received_head::status() const noexcept { return record_->status; }
int received_head::minor_version() const noexcept { return record_->minor; }
const http::url& received_head::url() const noexcept { return record_->url; }
std::string_view received_head::reason() const noexcept {
  return record_->head.text(record_->reason);
}

std::optional<std::string_view> received_head::header(std::string_view name) const noexcept {
  const detail::kept_head& head = record_->head;
  for (std::uint32_t i = 0; i < head.field_count(); i++) {
    const detail::field_view f = head.view(i);
    if (detail::iequal(f.name, name)) return f.value;
  }
  return std::nullopt;
}

const http::headers& received_head::headers() const {
  std::optional<http::headers>& made = record_->fields;
  if (made) return *made;
  http::headers all;
  for (std::uint32_t i = 0; i < record_->head.field_count(); i++) {
    const detail::field_view f = record_->head.view(i);
    detail::headers_access::add(all, f.name, f.value);
  }
  return made.emplace(std::move(all));
}

const std::string& client_response::body() const& noexcept { return record_->body; }
std::string client_response::body() && noexcept { return std::move(record_->body); }

response_stream::response_stream(record_ptr r, download_ptr d) noexcept
    : received_head(std::move(r)), download_(std::move(d)) {}

http::body& response_stream::body() noexcept { return download_->body(); }

}  // namespace cuvee::inline v0::http
