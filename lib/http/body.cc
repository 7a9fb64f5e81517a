// SPDX-License-Identifier: MIT
#include "body.h"

#include <algorithm>
#include <cstring>

namespace cuvee::inline v0::http::detail {

progress body_decoder::refuse(refusal why) noexcept {
  why_ = why;
  return state_ = progress::failed;
}

void body_decoder::begin(body_framing body, const limits& l, std::uint64_t body_bytes) noexcept {
  kind_ = body.kind;
  received_ = 0;
  left_ = 0;
  why_ = {};
  state_ = body.empty() ? progress::complete : progress::need_more;
  if (kind_ == framing::chunked) {
    chunked_.begin(l, body_bytes);
  } else if (kind_ == framing::length) {
    left_ = body.length;
    if (left_ > body_bytes) refuse({413, "body too large"});
  } else if (kind_ == framing::until_close) {
    allowed_ = body_bytes;
  }
}

body_slice body_decoder::plain_slice(std::string_view input) noexcept {
  if (kind_ == framing::until_close) {
    if (input.size() > allowed_) {
      // What the limit admits is still delivered, so the outcome does not depend on the cuts.
      const std::string_view admitted = input.substr(0, static_cast<std::size_t>(allowed_));
      return {refuse({413, "body too large"}), admitted.size(), admitted};
    }
    allowed_ -= input.size();
    return {progress::need_more, input.size(), input};
  }
  const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
  left_ -= n;
  if (left_ == 0) state_ = progress::complete;
  return {state_, n, input.substr(0, n)};
}

body_slice body_decoder::next_slice(std::string_view input) {
  if (state_ != progress::need_more) return {state_, 0, {}};
  body_slice s;
  if (kind_ == framing::chunked) {
    s = chunked_.next_slice(input);
    state_ = s.state;
    if (state_ == progress::failed) why_ = chunked_.why();
  } else {
    s = plain_slice(input);
  }
  received_ += s.data.size();
  return s;
}

body_step body_decoder::decode(std::string_view input, char* out) {
  body_step total{state_, 0, 0};
  while (total.used < input.size() && state_ == progress::need_more) {
    const body_slice s = next_slice(input.substr(total.used));
    char* to = out + total.produced;
    if (to != s.data.data() && !s.data.empty()) std::memmove(to, s.data.data(), s.data.size());
    total.used += s.used;
    total.produced += s.data.size();
  }
  total.state = state_;
  return total;
}

progress body_decoder::finish() noexcept {
  if (state_ != progress::need_more) return state_;
  if (kind_ == framing::until_close) return state_ = progress::complete;
  return refuse({400, "the body was cut short"});
}

}  // namespace cuvee::inline v0::http::detail
