// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/io/process.h>

#include <concepts>
#include <vector>

namespace cuvee::inline v0 {

namespace detail {
class pipeline_run;
}

/// Commands of which each writes its stdout to the stdin of the next: `pipeline(command("ls"), command("wc", "-l"))`.
/// What the commands say about stdin and stdout counts for the first stdin and the last stdout only.
class CUVEE_API pipeline {
 public:
  template <std::same_as<command>... More>
  explicit pipeline(command first, More... more) {
    commands_.reserve(1 + sizeof...(more));
    commands_.push_back(std::move(first));
    (commands_.push_back(std::move(more)), ...);
  }
  pipeline& add(command c);
  /// The whole fails where any command does, as after `set -o pipefail`: its status is that of the last one that
  /// failed. A command whose reader ended first has failed, too, by SIGPIPE.
  pipeline& pipefail() noexcept;

  /// `ls | wc -l`; not quoted for a shell.
  std::string to_string() const;

 private:
  friend detail::pipeline_run;
  std::vector<command> commands_;
  bool pipefail_ = false;
};

/// What a finished pipeline left behind. `status` is the last command's, unless the pipeline says `pipefail`.
class CUVEE_API pipeline_result : public process_result {
 public:
  std::vector<exit_status> statuses;  ///< in the order of the commands

  pipeline_result& check() & {
    process_result::check();
    return *this;
  }
  pipeline_result check() && { return std::move(check()); }
};

/// Runs a pipeline to its end, as `run_process` a command. `capture::err` collects the stderr of all commands,
/// `merged` adds the stdout of the last one.
/// Errors: as `run_process`; where one command cannot be started, those before it are stopped.
/// Cancel: as `run_process`, for all commands at once.
CUVEE_API task<pipeline_result> run_process(pipeline p, capture what = capture::none,
                                            run_process_options options = {});
/// The same with `input` on the first stdin. Lifetime: `input` is not copied.
CUVEE_API task<pipeline_result> run_process(pipeline p, capture what, const_bytes input,
                                            run_process_options options = {});

}  // namespace cuvee::inline v0
