// SPDX-License-Identifier: MIT
#include "chunked.h"

#include "chars.h"

#include <algorithm>

namespace cuvee::inline v0::http::detail {

namespace {
constexpr std::uint8_t most_digits = 16;
}

void chunked_decoder::begin(const limits& l, std::uint64_t body_bytes) noexcept {
  limits_ = &l;
  left_ = 0;
  allowed_ = body_bytes;
  extension_bytes_ = 0;
  trailers_.clear();
  why_ = {};
  state_ = state::size_start;
  digits_ = 0;
}

void chunked_decoder::fail(std::uint16_t status, const char* cause) noexcept {
  why_ = {status, cause};
  state_ = state::failed;
}

body_slice chunked_decoder::next_slice(std::string_view input) {
  std::size_t i = 0;
  while (i < input.size() && state_ < state::done) {
    if (state_ != state::data) {
      step(input[i++]);
      continue;
    }
    const std::size_t n =
        static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - i));
    left_ -= n;
    if (left_ == 0) state_ = state::data_cr;
    return {progress::need_more, i + n, input.substr(i, n)};
  }
  if (state_ == state::failed) return {progress::failed, i, {}};
  return {state_ == state::done ? progress::complete : progress::need_more, i, {}};
}

void chunked_decoder::step(char c) {
  if (state_ <= state::size) return step_size(c);
  if (state_ <= state::value_start) return step_extension(c);
  if (state_ <= state::value_end) return step_extension_value(c);
  if (state_ >= state::trailer_start) return step_trailer(c);
  if (c != (state_ == state::data_cr ? '\r' : '\n'))
    return fail(
        400, state_ == state::size_lf ? "malformed chunk size line" : "no line end after a chunk");
  if (state_ == state::size_lf) return start_chunk();
  state_ = state_ == state::data_cr ? state::data_lf : state::size_start;
}

void chunked_decoder::step_size(char c) noexcept {
  if (is(c, chars::hex)) {
    if (++digits_ > most_digits) return fail(400, "chunk size too long");
    left_ = left_ << 4 | hex_value(c);
    state_ = state::size;
    return;
  }
  if (state_ == state::size_start) return fail(400, "malformed chunk size");
  if (c == '\r') state_ = state::size_lf;
  else if (c == ';' || is_blank(c)) end_of_extension(c);
  else fail(400, "malformed chunk size");
}

// After a size, an extension's name or its value: another extension, or blanks before one.
void chunked_decoder::end_of_extension(char c) noexcept {
  if (++extension_bytes_ > limits_->chunk_extension_bytes)
    return fail(431, "chunk extensions too large");
  if (c == ';') state_ = state::name_start;
  else if (is_blank(c)) state_ = state::size_blank;
  else fail(400, "malformed chunk extension");
}

void chunked_decoder::step_extension(char c) noexcept {
  if (state_ == state::size_blank) return end_of_extension(c);
  if (state_ == state::name && c == '\r') {
    state_ = state::size_lf;
    return;
  }
  if (++extension_bytes_ > limits_->chunk_extension_bytes)
    return fail(431, "chunk extensions too large");
  const bool named = state_ == state::name || state_ == state::name_blank;
  if (state_ != state::name_blank && is(c, chars::token)) {
    state_ = state_ == state::value_start ? state::value : state::name;
  } else if (is_blank(c)) {
    if (state_ == state::name) state_ = state::name_blank;
  } else if (named && c == '=') {
    state_ = state::value_start;
  } else if (named && c == ';') {
    state_ = state::name_start;
  } else if (state_ == state::value_start && c == '"') {
    state_ = state::quoted;
  } else {
    fail(400, "malformed chunk extension");
  }
}

void chunked_decoder::step_extension_value(char c) noexcept {
  if (state_ == state::value || state_ == state::value_end) {
    if (c == '\r') {
      state_ = state::size_lf;
      return;
    }
    if (state_ == state::value_end || !is(c, chars::token)) return end_of_extension(c);
  } else if (!is(c, chars::field_value)) {
    return fail(400, "malformed chunk extension");
  } else if (state_ == state::escaped) {
    state_ = state::quoted;
  } else if (c == '\\') {
    state_ = state::escaped;
  } else if (c == '"') {
    state_ = state::value_end;
  }
  if (++extension_bytes_ > limits_->chunk_extension_bytes) fail(431, "chunk extensions too large");
}

void chunked_decoder::start_chunk() noexcept {
  digits_ = 0;
  if (left_ == 0) {
    state_ = state::trailer_start;
  } else if (left_ > allowed_) {
    fail(413, "body too large");
  } else {
    allowed_ -= left_;
    state_ = state::data;
  }
}

void chunked_decoder::step_trailer(char c) {
  if (state_ == state::last_lf) {
    if (c == '\n') state_ = state::done;
    else fail(400, "malformed trailer section");
    return;
  }
  if (state_ == state::trailer_start && c == '\r') {
    state_ = state::last_lf;
    return;
  }
  if (trailers_.size() >= limits_->trailer_bytes) return fail(431, "trailers too large");
  if (state_ == state::trailer_start) start_trailer(c);
  if (state_ == state::failed) return;
  trailers_.append({&c, 1});
  raw_field& f = trailers_.field(trailers_.field_count() - 1);
  if (state_ == state::trailer_name) {
    if (is(c, chars::token)) {
      if (++f.name_size == UINT16_MAX) fail(431, "trailers too large");
    } else if (c == ':') {
      f.value = trailers_.size();
      state_ = state::trailer_value;
    } else {
      fail(400, "malformed trailer field");
    }
  } else if (state_ == state::trailer_value) {
    if (c == '\r') end_trailer_value();
    else if (!is(c, chars::field_value)) fail(400, "malformed trailer field");
  } else if (c == '\n') {
    state_ = state::trailer_start;
  } else {
    fail(400, "malformed trailer field");
  }
}

void chunked_decoder::start_trailer(char c) {
  if (!is(c, chars::token)) return fail(400, "malformed trailer field");
  if (trailers_.field_count() >= limits_->trailer_fields)
    return fail(431, "too many trailer fields");
  trailers_.add_field().name = trailers_.size();
  state_ = state::trailer_name;
}

void chunked_decoder::end_trailer_value() noexcept {
  raw_field& f = trailers_.field(trailers_.field_count() - 1);
  const std::string_view value =
      trim_blanks(trailers_.text(f.value, trailers_.size() - 1 - f.value));
  if (value.size() > UINT16_MAX) return fail(431, "trailers too large");
  f.value = static_cast<std::uint32_t>(value.data() - trailers_.data());
  f.value_size = static_cast<std::uint16_t>(value.size());
  state_ = state::trailer_lf;
}

}  // namespace cuvee::inline v0::http::detail
