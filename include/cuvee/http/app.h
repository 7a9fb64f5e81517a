// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/http/handler.h>
#include <cuvee/http/method.h>

#include <memory>
#include <string_view>

namespace cuvee::inline v0::http {

namespace detail {
class router;
}

/// What holds for one handler of an `app`, said where it is added: `app.post("/files", &keep).max_body(n)`.
/// Lifetime: the app's.
class route_settings {
 public:
  explicit route_settings(detail::handler& h) noexcept : handler_(&h) {}

  /// The largest body it accepts, streamed or not, instead of the server's `limits::body_bytes`; more
  /// is answered with 413.
  route_settings& max_body(std::uint64_t bytes) noexcept {
    handler_->max_body(bytes);
    return *this;
  }

 private:
  detail::handler* handler_;
};

/// Routes: which handler answers which method and path.
///
/// A handler is a callable with no argument or a `request&` that returns text, a `response` or a task of
/// either; or one with `(request&, response_writer&)` that returns `task<>` and sends as it goes. Plain
/// functions cost no coroutine frame. What a handler throws becomes the response: `http_error` its
/// status, anything else a report to the loop and a 500 without details.
///
/// A pattern is a path whose segments may be `{name}`, one segment, or at the end `{name...}`, the rest.
/// Literal segments win over `{name}`, and that over `{name...}`. GET handlers also answer HEAD; a
/// method without handler is answered with 405 and Allow, OPTIONS with 204 and Allow.
/// Lifetime: it must not change while it is served, and outlive that.
/// Threads: with several workers, handlers run on several threads at once.
class CUVEE_API app {
 public:
  app();
  app(app&&) noexcept;
  app& operator=(app&&) noexcept;
  ~app();

  /// Errors: invalid_argument for a malformed pattern, or one that is there already.
  route_settings route(method m, std::string_view pattern, auto handler) {
    return add(&m, pattern, detail::make_handler(std::move(handler)));
  }
  route_settings get(std::string_view pattern, auto handler) {
    return route(method::get, pattern, std::move(handler));
  }
  route_settings post(std::string_view pattern, auto handler) {
    return route(method::post, pattern, std::move(handler));
  }
  route_settings put(std::string_view pattern, auto handler) {
    return route(method::put, pattern, std::move(handler));
  }
  route_settings patch(std::string_view pattern, auto handler) {
    return route(method::patch, pattern, std::move(handler));
  }
  route_settings del(std::string_view pattern, auto handler) {
    return route(method::delete_, pattern, std::move(handler));
  }
  /// Every method that has no handler of its own at this pattern.
  route_settings any(std::string_view pattern, auto handler) {
    return add(nullptr, pattern, detail::make_handler(std::move(handler)));
  }
  /// Whatever no pattern matches, `OPTIONS *` included.
  route_settings fallback(auto handler) {
    return set_fallback(detail::make_handler(std::move(handler)));
  }

  const detail::router& routes() const noexcept { return *router_; }

 private:
  route_settings add(const method* m, std::string_view pattern, std::unique_ptr<detail::handler> h);
  route_settings set_fallback(std::unique_ptr<detail::handler> h);
  std::unique_ptr<detail::router> router_;
};

}  // namespace cuvee::inline v0::http
