// SPDX-License-Identifier: MIT
#include <cuvee/io/process.h>

#include <cuvee/core/visitor.h>

#include "process_block.h"
#include "stream_block.h"
#include "uv_error.h"

#include <algorithm>
#include <cstring>

namespace cuvee::inline v0 {

using detail::process_block;

std::string exit_status::to_string() const {
  if (kind_ == kind::unknown) return "reaped by somebody else, status unknown";
  if (kind_ == kind::exited) return "exit code " + std::to_string(value_);
  return "signal " + std::to_string(value_) + " (" + strsignal(value_) + ")";
}

namespace {

constexpr std::size_t tail_bytes = 4096;

std::string failure_text(exit_status status, std::string_view err) {
  while (!err.empty() && err.back() == '\n') err.remove_suffix(1);
  std::string_view last_line = err.substr(err.rfind('\n') + 1);
  std::string text = status.to_string();
  if (!last_line.empty()) text.append(": ").append(last_line);
  return text;
}

}  // namespace

process_error::process_error(std::string_view operation, std::string_view command,
                             exit_status status, std::string_view err)
    : error(errc::process_failed, operation, command, failure_text(status, err)),
      status_(status),
      err_tail_(std::make_shared<const std::string>(
          err.substr(err.size() - std::min(err.size(), tail_bytes)))) {}
process_error::~process_error() = default;

process_result& process_result::check() & {
  if (!status.success()) throw process_error("run", command, status, err);
  return *this;
}

bool process_wait_awaiter::await_ready() noexcept {
  if (!block_->exit_known()) return false;
  status_ = block_->status();
  return true;
}
void process_wait_awaiter::await_suspend(waiter& w) noexcept {
  waiter_ = &w;
  block_->waiters.push_back(*this);
}
bool process_wait_awaiter::await_cancel(waiter&) noexcept {
  unlink();
  return true;
}

void process_wait_awaiter::visit(detail::visitor& v) { v.about(block_->name()); }

process::~process() {
  if (block_) block_->abandon();
}

void process::kill(int signal) {
  if (block_->exit_known()) throw detail::uv_error(UV_ESRCH, "kill", block_->name());
  block_->kill(signal);
}
void process::kill_group(int signal) {
  if (!block_->leads_group())
    throw error(std::make_error_code(std::errc::invalid_argument), "kill the group of",
                block_->name(), "it leads none");
  if (block_->exit_known()) throw detail::uv_error(UV_ESRCH, "kill the group of", block_->name());
  block_->kill_group(signal);
}
void process::resize_terminal(terminal_size size) { block_->resize_terminal(size); }

int process::pid() const noexcept { return block_->pid(); }
std::optional<exit_status> process::status() const noexcept {
  return block_->exit_known() ? std::optional<exit_status>(block_->status()) : std::nullopt;
}
pipe_stream& process::in() { return block_->require_pipe(process_block::in); }
pipe_stream& process::out() { return block_->require_pipe(process_block::out); }
pipe_stream& process::terminal() { return block_->require_pipe(process_block::terminal); }
pipe_stream& process::err() { return block_->require_pipe(process_block::err); }

process spawn(const command& c) {
  auto* block = new process_block(detail::loop_state::current());
  process p(block);  // disowns the block on failure
  block->start(c);
  return p;
}

}  // namespace cuvee::inline v0
