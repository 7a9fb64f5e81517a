// SPDX-License-Identifier: MIT
#pragma once
#include "client_pool.h"
#include "client_record.h"

namespace cuvee::inline v0::http::detail {

/// What a caller asks for. Everything it points to lives until the exchange has ended.
struct outgoing {
  method verb;
  const url* target;
  const headers* fields = nullptr;
  std::string_view body = {};
  bool has_body = false;
  std::optional<std::uint64_t> max_body = {};
  std::optional<body_framing> streamed = {};  // the body follows by pieces
};

/// One request from the caller's view: through redirects and at most one repetition to the head of
/// its last response.
class exchange {
 public:
  exchange(client_state& client, const outgoing& what) noexcept;

  task<> run();
  /// The first half of it, for a body that follows: a connection, and the head sent.
  task<> begin();
  /// After either.
  client_connection& connection() const noexcept { return *lease_.connection(); }
  response_record* make_record() const {
    return new response_record(connection().head(), *target_);
  }
  [[noreturn]] void fail() const { connection().fail(name()); }
  lease&& take_lease() noexcept { return std::move(lease_); }
  method verb() const noexcept { return verb_; }
  /// Of the total time.
  duration time_left() const { return time_for(duration::max()); }
  error refused(std::error_code code, std::string_view why) const;
  timeout_error late(std::string_view why) const;

 private:
  request_name name() const noexcept { return {verb_, *target_}; }
  void prepare();
  void extract_host();
  headers& own_fields();
  duration time_for(duration limit) const;
  bool has_connection();
  task<> find_connection();
  task<> connect();
  task<stream> secure(stream plain);
  void send();
  bool may_repeat() const noexcept;
  bool redirect();
  void go_to(url next, int status);

  client_state& client_;
  method verb_;
  const url* target_;
  const headers* fields_;
  std::string_view body_;
  bool has_body_;
  std::optional<body_framing> streamed_;
  bool repeated_ = false;
  int redirects_ = 0;
  std::uint64_t total_at_ = 0;
  std::optional<url> own_target_;
  std::optional<headers> own_fields_;
  std::string host_;  // instead of the URL's, where the caller set one
  lease lease_;
};

/// The body of a response on its way in.
class download final : body_source, public v0::detail::pooled {
 public:
  download(lease l, method verb, const url& target, std::optional<std::string> sent)
      : lease_(std::move(l)), sent_(std::move(sent)), target_(target), verb_(verb), body_(*this) {
    end_if_whole();
  }

  http::body& body() noexcept { return body_; }

 private:
  bool poll() override;
  void wait(waiter& w) override { lease_->await_chunk(w); }
  void stop_waiting() noexcept override { lease_->stop_waiting(); }
  std::optional<std::string_view> take() override;
  void end_if_whole() noexcept {
    if (lease_ && lease_->has_body()) lease_.give_back();
  }

  lease lease_;                      // until the end of the body
  std::optional<std::string> sent_;  // may still be on its way out
  const url& target_;                // the record's
  method verb_;
  http::body body_;
};

/// After the head: the response, with the rest of it to be read.
response_stream open_response(exchange& x, std::optional<std::uint64_t> most_bytes,
                              std::optional<std::string> sent = {});

}  // namespace cuvee::inline v0::http::detail
