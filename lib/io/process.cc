// SPDX-License-Identifier: MIT
#include <cuvee/io/process.h>

#include "process_block.h"
#include "stream_block.h"
#include "uv_error.h"

#include <cstring>

namespace cuvee::inline v0 {

using detail::process_block;

command& command::arg(std::string_view argument) {
  words_.emplace_back(argument);
  return *this;
}
command& command::in(stdio s) {
  in_ = s;
  return *this;
}
command& command::out(stdio s) {
  out_ = s;
  return *this;
}
command& command::err(stdio s) {
  err_ = s;
  err_place_ = error_output::own;
  return *this;
}
command& command::err(to_stdout_t) {
  err_place_ = error_output::same_as_output;
  return *this;
}
command& command::cwd(std::string_view directory) {
  cwd_.emplace(directory);
  return *this;
}
command& command::env(std::string_view name, std::string_view value) {
  for (auto& [known, old_value] : variables_) {
    if (known != name) continue;
    old_value = value;
    return *this;
  }
  variables_.emplace_back(name, value);
  return *this;
}
command& command::clear_env() {
  own_env_ = true;
  variables_.clear();
  return *this;
}

std::string command::to_string() const {
  std::string text;
  for (const std::string& word : words_) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

std::string exit_status::to_string() const {
  if (!signaled_) return "exit code " + std::to_string(value_);
  return "signal " + std::to_string(value_) + " (" + strsignal(value_) + ")";
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

void process_block::on_closed() {
  while (process_wait_awaiter* a = waiters.pop_front()) {
    a->status_ = status_;
    a->waiter_->complete();
  }
}

process::~process() {
  if (block_) block_->abandon();
}

void process::kill(int signal) {
  if (block_->exit_known()) throw detail::uv_error(UV_ESRCH, "kill", block_->name());
  block_->kill(signal);
}

int process::pid() const noexcept { return block_->pid(); }
std::optional<exit_status> process::status() const noexcept {
  return block_->exit_known() ? std::optional<exit_status>(block_->status()) : std::nullopt;
}
pipe_stream& process::in() { return block_->require_pipe(process_block::in); }
pipe_stream& process::out() { return block_->require_pipe(process_block::out); }
pipe_stream& process::err() { return block_->require_pipe(process_block::err); }

process spawn(const command& c) {
  auto* block = new process_block(detail::loop_state::current());
  process p(block);  // disowns the block on failure
  block->start(c);
  return p;
}

}  // namespace cuvee::inline v0
