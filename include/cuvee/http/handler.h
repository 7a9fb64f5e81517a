// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core/task.h>
#include <cuvee/http/request.h>
#include <cuvee/http/response.h>
#include <cuvee/http/response_writer.h>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace cuvee::inline v0::http::detail {

/// How a plain handler answers: at once, without a coroutine frame.
struct reply {
  virtual void send(std::string_view text) = 0;
  virtual void send(response&& r) = 0;

 protected:
  ~reply() = default;
};

enum class handler_kind : std::uint8_t { plain, coroutine, streaming };

/// A route's callable, stored once and invoked in place, so that captures outlive every request.
class handler {
 public:
  explicit handler(handler_kind kind) noexcept : kind_(kind) {}
  virtual ~handler() = default;
  handler_kind kind() const noexcept { return kind_; }
  const std::optional<std::uint64_t>& max_body() const noexcept { return max_body_; }
  void max_body(std::uint64_t bytes) noexcept { max_body_ = bytes; }
  virtual void call(request&, reply&) {}
  virtual task<response> run(request&) { co_return response(); }
  virtual task<> stream(request&, response_writer&) { co_return; }

 private:
  handler_kind kind_;
  std::optional<std::uint64_t> max_body_;  // instead of the server's limit
};

template <class F, class... Args>
decltype(auto) call_with(F& fn, request& req) {
  if constexpr (std::is_invocable_v<F&, request&>) return std::invoke(fn, req);
  else return std::invoke(fn);
}
template <class F>
using answer_of = decltype(call_with(std::declval<F&>(), std::declval<request&>()));

template <class T>
constexpr bool is_task = false;
template <class T>
constexpr bool is_task<task<T>> = true;

template <class F>
class plain_handler final : public handler {
 public:
  explicit plain_handler(F fn) : handler(handler_kind::plain), fn_(std::move(fn)) {}
  void call(request& req, reply& to) override {
    using answer = answer_of<F>;
    if constexpr (std::is_convertible_v<answer, std::string_view>) {
      const auto& text = call_with(fn_, req);
      to.send(std::string_view(text));
    } else {
      to.send(response(call_with(fn_, req)));
    }
  }

 private:
  F fn_;
};

template <class F>
class coroutine_handler final : public handler {
 public:
  explicit coroutine_handler(F fn) : handler(handler_kind::coroutine), fn_(std::move(fn)) {}
  task<response> run(request& req) override {
    if constexpr (std::is_same_v<answer_of<F>, task<response>>) return call_with(fn_, req);
    else return converted(req);
  }

 private:
  task<response> converted(request& req) {
    auto answer = co_await call_with(fn_, req);
    co_return response(std::move(answer));
  }
  F fn_;
};

template <class F>
class streaming_handler final : public handler {
 public:
  explicit streaming_handler(F fn) : handler(handler_kind::streaming), fn_(std::move(fn)) {}
  task<> stream(request& req, response_writer& out) override { return std::invoke(fn_, req, out); }

 private:
  F fn_;
};

template <class F>
concept streams = requires(F& fn, request& req, response_writer& out) {
  { std::invoke(fn, req, out) } -> std::same_as<task<>>;
};
template <class F>
concept answers = std::is_invocable_v<F&, request&> || std::is_invocable_v<F&>;

template <class F>
  requires(streams<F> || answers<F>)
std::unique_ptr<handler> make_handler(F fn) {
  if constexpr (streams<F>) return std::make_unique<streaming_handler<F>>(std::move(fn));
  else if constexpr (is_task<answer_of<F>>)
    return std::make_unique<coroutine_handler<F>>(std::move(fn));
  else return std::make_unique<plain_handler<F>>(std::move(fn));
}

}  // namespace cuvee::inline v0::http::detail
