// SPDX-License-Identifier: MIT
#include <cuvee/base/error.h>

#include <cctype>
#include <cstring>
#include <exception>

namespace cuvee::inline v0 {

struct error::parts {
  std::string operation, subject, text;
};

namespace {

class category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "cuvee"; }
  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::closed: return "closed";
      case errc::busy: return "another operation is pending";
      case errc::broken: return "broken";
      case errc::end_of_stream: return "end of stream";
      case errc::limit_exceeded: return "limit exceeded";
      case errc::protocol: return "protocol error";
      case errc::bad_url: return "bad URL";
      case errc::deadlock: return "deadlock: nothing is left that could wake the task";
      case errc::loop_closed: return "the loop is closed";
      case errc::not_done: return "it has not ended yet";
      case errc::not_started: return "ended before it reported ready";
      case errc::foreign: return "an exception of another type";
      case errc::too_many_redirects: return "too many redirects";
      case errc::process_failed: return "the process failed";
    }
    return "unknown error";
  }
};

// "ECONNREFUSED" for errno codes; null where the code has no symbolic name.
const char* symbol(std::error_code code) {
  if (code.category() != std::generic_category() && code.category() != std::system_category())
    return nullptr;
#if defined(__GLIBC__)
  return strerrorname_np(code.value());
#else
  return nullptr;
#endif
}

// Objects are often a peer's or a user's bytes: what could forge a line of a log, or end the text, is
// shown as \x0a.
void append_printable(std::string& text, std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) text += c;
    else (text += "\\x").append({digits[byte >> 4], digits[byte & 15]});
  }
}

std::string compose(std::error_code code, std::string_view operation, std::string_view subject,
                    std::string_view detail) {
  std::string text(operation);
  if (!subject.empty()) {
    if (!text.empty()) text += ' ';
    append_printable(text, subject);
  }
  if (!text.empty()) text += ": ";
  if (detail.empty()) text += describe(code);
  else append_printable(text, detail);
  return text;
}

}  // namespace

const std::error_category& cuvee_category() noexcept {
  static const category instance;
  return instance;
}

std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), cuvee_category()}; }

std::string describe(std::error_code code) {
  std::string text = code.message();
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])))
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  if (const char* name = symbol(code)) text.append(" (").append(name).append(")");
  return text;
}

std::string describe(const std::exception_ptr& exception) {
  if (!exception) return "no exception";
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

error as_error(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const error& e) {
    return e;
  } catch (const std::system_error& e) {
    return error(e.code(), {}, {}, e.what());
  } catch (...) {
    return error(errc::foreign, {}, {}, describe(exception));
  }
}

error::error(std::error_code code, std::string_view operation, std::string_view subject,
             std::string_view detail)
    : std::system_error(code),
      parts_(std::make_shared<const parts>(parts{std::string(operation), std::string(subject),
                                                 compose(code, operation, subject, detail)})) {}
error::~error() = default;
const char* error::what() const noexcept { return parts_->text.c_str(); }
const std::string& error::operation() const noexcept { return parts_->operation; }
const std::string& error::subject() const noexcept { return parts_->subject; }

timeout_error::timeout_error(std::string_view operation, std::string_view subject,
                             std::string_view detail)
    : error(std::make_error_code(std::errc::timed_out), operation, subject, detail) {}
timeout_error::~timeout_error() = default;

cancelled_error::cancelled_error(std::string_view operation, std::string_view reason)
    : error(std::make_error_code(std::errc::operation_canceled), operation, {},
            reason.empty() ? std::string("the task was cancelled")
                           : "the task was cancelled: " + std::string(reason)) {}
cancelled_error::~cancelled_error() = default;

}  // namespace cuvee::inline v0
