// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>

#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace cuvee::inline v0 {

/// Conditions that the operating system has no code for.
enum class errc {
  closed = 1,      ///< the object was closed, here or by a cancelled write
  busy,            ///< another operation of the same kind is pending on the object
  broken,          ///< a barrier was reset or aborted under those who wait
  end_of_stream,   ///< the peer finished sending before the operation had what it needs
  limit_exceeded,  ///< a size, count or time limit was passed
  protocol,        ///< the peer broke the protocol
  bad_url,         ///< a URL that cannot be parsed or is not http(s)
  deadlock,        ///< the loop has nothing left to wait for, the task still waits
  loop_closed,     ///< the loop is gone
  not_done,        ///< a result was asked for before the task had ended
  not_started,     ///< a child of `group::start` ended before it reported ready
  foreign,         ///< an exception of another type than `cuvee::error`; its text is the detail
  too_many_redirects,
  process_failed,  ///< a child process exited with another code than 0, or a signal killed it
};

CUVEE_API const std::error_category& cuvee_category() noexcept;
CUVEE_API std::error_code make_error_code(errc e) noexcept;

/// What every operation throws: a code, the operation and the object it was about. `what()` reads
/// `connect 127.0.0.1:80: connection refused (ECONNREFUSED)`.
class CUVEE_API error : public std::system_error {
 public:
  error(std::error_code code, std::string_view operation, std::string_view subject = {},
        std::string_view detail = {});
  ~error() override;

  const char* what() const noexcept override;
  /// The verb: `connect`.
  const std::string& operation() const noexcept;
  /// The object: `127.0.0.1:80`; empty where there is none.
  const std::string& subject() const noexcept;

 private:
  struct parts;
  std::shared_ptr<const parts> parts_;
};

/// Thrown by `timeout` and by an expired deadline. Code: `std::errc::timed_out`.
class CUVEE_API timeout_error : public error {
 public:
  explicit timeout_error(std::string_view operation = "timeout", std::string_view subject = {},
                         std::string_view detail = "timed out");
  ~timeout_error() override;
};

/// Thrown by `join` on a task that somebody else cancelled. Code: `std::errc::operation_canceled`.
class CUVEE_API cancelled_error : public error {
 public:
  /// `reason`: what `cancel` was given, if anything.
  explicit cancelled_error(std::string_view operation = "join", std::string_view reason = {});
  ~cancelled_error() override;
};

/// The text of a code as `error::what()` ends: `connection refused (ECONNREFUSED)`.
CUVEE_API std::string describe(std::error_code code);

/// The text of an exception of any type; a `std::exception`'s `what()`.
CUVEE_API std::string describe(const std::exception_ptr& exception);

/// The `cuvee::error` that an exception is; of another one its code, or `foreign`, with its text.
CUVEE_API error as_error(const std::exception_ptr& exception);

}  // namespace cuvee::inline v0

template <>
struct std::is_error_code_enum<cuvee::errc> : std::true_type {};
