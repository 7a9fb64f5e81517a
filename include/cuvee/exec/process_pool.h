// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/io/process.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace cuvee::inline v0 {

/// A function that worker processes can run. Make it where every process of the program does, at namespace scope:
/// `const worker_function digest("digest", [](std::string_view text) { return hash(text); });`
class CUVEE_API worker_function {
 public:
  using body = std::string (*)(std::string_view argument);
  /// Errors: invalid_argument for a name that another function has.
  worker_function(std::string name, body fn);
  worker_function(const worker_function&) = delete;
  worker_function& operator=(const worker_function&) = delete;
  ~worker_function();

  const std::string& name() const noexcept { return name_; }

 private:
  std::string name_;
};

/// The first line of `main` in a program that has a `process_pool`, whose workers are the same program: in a worker it
/// serves the pool and never returns, elsewhere it does nothing.
CUVEE_API void worker_entry();

/// Thrown where a worker process ended instead of giving a result: `run digest in a worker: signal 11 (Segmentation
/// fault)`. Code: process_failed.
class CUVEE_API worker_error : public process_error {
 public:
  worker_error(const std::string& function, exit_status status)
      : process_error("run", function + " in a worker", status), function_(function) {}
  ~worker_error() override;
  const std::string& function() const noexcept { return function_; }

 private:
  std::string function_;
};

struct process_pool_options {
  std::optional<std::size_t> size;  ///< workers at most; by default one for each processor
  std::size_t limit_bytes = std::size_t{64} << 20;  ///< of an argument, and of a result
};
static_assert(std::is_trivially_destructible_v<process_pool_options>);

/// Runs functions in processes of their own, for work that needs the processor and may crash, leak or have to be
/// stopped. Workers start when jobs need them and stay; each runs one job at a time. They share nothing with the
/// parent but stdout and stderr, are in process groups of their own, so that Ctrl-C reaches the parent only, and end
/// when the parent does.
class CUVEE_API process_pool {
 public:
  struct statistics_snapshot {
    std::size_t workers, idle, waiting;
  };

  /// Errors: invalid_argument for size 0, or where `main` has not called `worker_entry`.
  explicit process_pool(process_pool_options options = {});
  process_pool(const process_pool&) = delete;
  process_pool& operator=(const process_pool&) = delete;
  /// Kills the workers. No job may be running.
  ~process_pool();

  /// Runs a function on a free worker, when there is one.
  /// Returns: its result. Errors: worker_error if the worker crashes or exits, another worker takes its place;
  /// `foreign` with the text of what the function throws; limit_exceeded; closed.
  /// Cancel: a job that waits is withdrawn, the worker of a running one is killed and reaped.
  /// Lifetime: `argument` is not copied.
  [[nodiscard]] task<std::string> run(const worker_function& function, const_bytes argument);
  /// The same by name. Errors: also invalid_argument for an unknown one.
  [[nodiscard]] task<std::string> run(std::string function, const_bytes argument);

  /// Takes no more jobs, refuses those that wait, waits for those that run, and ends the workers.
  /// Cancel: safe; the destructor does the rest.
  [[nodiscard]] task<> close();

  statistics_snapshot statistics() const noexcept;

 private:
  class state;
  std::unique_ptr<state> state_;
};

}  // namespace cuvee::inline v0
