// SPDX-License-Identifier: MIT
#include <cuvee/io/pipeline.h>

#include <cuvee/core/any_of.h>
#include <cuvee/core/gather.h>
#include <cuvee/core/sleep.h>

#include "child_pipe.h"
#include "core/uv.h"
#include "process_plan.h"
#include "process_run.h"
#include "sockets.h"
#include "uv_error.h"

namespace cuvee::inline v0 {

pipeline& pipeline::add(command c) {
  commands_.push_back(std::move(c));
  return *this;
}
pipeline& pipeline::pipefail() noexcept {
  pipefail_ = true;
  return *this;
}

std::string pipeline::to_string() const {
  std::string text;
  for (const command& c : commands_) {
    if (!text.empty()) text += " | ";
    text += c.to_string();
  }
  return text;
}

namespace detail {

/// The processes of a pipeline and the parent's ends of its pipes.
class pipeline_run {
 public:
  enum class input_from { command, us };

  pipeline_run(pipeline&& p, capture what, input_from input, run_process_options options)
      : pipeline_(std::move(p)), what_(what), input_(input), options_(options) {
    processes_.reserve(pipeline_.commands_.size());
  }
  pipeline_run(const pipeline_run&) = delete;

  task<pipeline_result> transfer(const_bytes input);
  task<> stop();

 private:
  bool captures_out() const noexcept { return what_ != capture::none && what_ != capture::err; }
  bool captures_err() const noexcept { return what_ == capture::err || what_ == capture::all; }
  void start();
  int add_pipe(std::optional<pipe_stream>& ours, const char* name, owned_descriptors& ends);
  task<> all_exits();
  task<> all_exits_and(duration drain);
  exit_status overall(const std::vector<exit_status>& all) const;

  pipeline pipeline_;
  capture what_;
  input_from input_;
  run_process_options options_;
  std::vector<process> processes_;
  std::optional<pipe_stream> out_, err_;
};

int pipeline_run::add_pipe(std::optional<pipe_stream>& ours, const char* name,
                           owned_descriptors& ends) {
  const std::string whole = pipeline_.to_string();
  child_pipe p = child_pipe::make(child_pipe::direction::to_parent, name + (" of " + whole), whole);
  ours.emplace(std::move(p.ours));
  return ends.add(p.theirs);
}

void pipeline_run::start() {
  owned_descriptors ends;  // the children's: each of them gets only its own
  int out = captures_out() ? add_pipe(out_, "stdout", ends) : -1;
  int err = captures_err() ? add_pipe(err_, "stderr", ends) : -1;
  if (what_ == capture::merged) err = out;
  int from_previous = -1;
  for (std::size_t i = 0; i < pipeline_.commands_.size(); i++) {
    command c = pipeline_.commands_[i];
    bool last = i + 1 == pipeline_.commands_.size();
    if (i != 0) c.in_fd(from_previous);
    else if (input_ == input_from::us) c.in(stdio::pipe);
    if (last && out >= 0) c.out_fd(out);
    if (err >= 0) c.err_fd(err);
    if (!last) {
      uv_file between[2];
      int e = uv::pipe(between, 0, 0);
      if (e < 0) throw uv_error(e, "spawn", pipeline_.to_string());
      descriptor to_read(between[0]), to_write(between[1]);
      from_previous = ends.add(to_read.release());
      c.out_fd(ends.add(to_write.release()));
    }
    processes_.push_back(spawn(c));
  }
}

task<> pipeline_run::all_exits() {
  for (process& p : processes_) co_await p.wait();
}

task<> pipeline_run::all_exits_and(duration drain) {
  co_await all_exits();
  co_await sleep(drain);
}

task<pipeline_result> pipeline_run::transfer(const_bytes input) {
  start();
  pipeline_result r;
  r.command = pipeline_.to_string();
  pipe_stream* in = input_ == input_from::us ? &processes_.front().in() : nullptr;
  std::size_t limit = options_.limit_bytes;
  auto pipes = [&]() -> task<> {
    co_await gather(feed(in, input),
                    collect(out_ ? &*out_ : nullptr, r.out, limit, "stdout of " + r.command),
                    collect(err_ ? &*err_ : nullptr, r.err, limit, "stderr of " + r.command));
  };
  if (options_.drain) co_await any_of(pipes(), all_exits_and(*options_.drain));
  else co_await pipes();
  for (process& p : processes_) {
    exit_status s = co_await p.wait();
    r.statuses.push_back(s);
  }
  r.status = overall(r.statuses);
  co_return r;
}

exit_status pipeline_run::overall(const std::vector<exit_status>& all) const {
  exit_status result = all.back();
  for (std::size_t i = all.size(); pipeline_.pipefail_ && result.success() && i-- > 0;)
    result = all[i];
  return result;
}

task<> pipeline_run::stop() {
  std::vector<std::string> names;
  names.reserve(processes_.size());
  std::vector<task<>> all;
  for (std::size_t i = 0; i < processes_.size(); i++) {
    names.push_back(pipeline_.commands_[i].to_string());
    all.push_back(stop_process(processes_[i], names.back(), options_));
  }
  co_await gather(std::move(all));
}

}  // namespace detail

namespace {

using detail::pipeline_run;

task<pipeline_result> run(pipeline p, capture what, pipeline_run::input_from from,
                          const_bytes input, run_process_options options) {
  pipeline_run r(std::move(p), what, from, options);
  auto stop = [&r] { return r.stop(); };
  detail::finally<pipeline_result, decltype(stop)> whole(r.transfer(input), std::move(stop),
                                                         duration::max());
  co_return co_await whole;
}

}  // namespace

task<pipeline_result> run_process(pipeline p, capture what, run_process_options options) {
  return run(std::move(p), what, pipeline_run::input_from::command, {}, options);
}

task<pipeline_result> run_process(pipeline p, capture what, const_bytes input,
                                  run_process_options options) {
  return run(std::move(p), what, pipeline_run::input_from::us, input, options);
}

}  // namespace cuvee::inline v0
