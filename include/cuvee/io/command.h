// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/config.h>
#include <cuvee/io/terminal_size.h>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cuvee::inline v0 {

/// What one of a child's stdin, stdout and stderr is.
enum class stdio {
  inherit,   ///< the parent's
  null,      ///< /dev/null
  pipe,      ///< a pipe, its other end a `pipe_stream` of the `process`
  terminal,  ///< a pseudo terminal, its other end `process::terminal`
};

/// For `command::err`: the same as stdout, `2>&1` of the shell.
struct to_stdout_t {};
inline constexpr to_stdout_t to_stdout;

namespace detail {

struct redirection {
  enum class kind { standard, path, appended, descriptor, same_as_output };
  kind what = kind::standard;
  stdio standard = stdio::inherit;
  int fd = -1;
  std::string path;
};

struct passed_descriptor {
  int ours, theirs;
};

/// What a `command` says.
struct command_parts {
  std::vector<std::string> words;
  std::vector<std::pair<std::string, std::optional<std::string>>> variables;  // empty: removed
  std::optional<std::string> executable, cwd;
  redirection streams[3];
  std::vector<passed_descriptor> passed;
  std::optional<unsigned> uid, gid, umask;
  std::optional<int> group;  // 0: a new one
  terminal_size window;
  bool own_env = false;
  bool new_session = false;
};

}  // namespace detail

/// A program to run, its arguments and surroundings: `command("ls",
/// "-l").cwd("/tmp").out(stdio::pipe)`.
///
/// A child gets its three standard streams and what `pass_fd` names; every other descriptor of the parent is closed
/// in it. Its signals have their default effect, and none is blocked, whatever the parent has set.
class CUVEE_API command {
 public:
  /// A program without '/' in its name is looked up in the child's PATH. There is no shell in
  /// between: arguments reach the program as they are.
  template <class... Args>
    requires(std::convertible_to<const Args&, std::string_view> && ...)
  explicit command(std::string_view program, const Args&... arguments) {
    parts_.words.reserve(1 + sizeof...(arguments));
    parts_.words.emplace_back(program);
    (parts_.words.emplace_back(std::string_view(arguments)), ...);
  }
  /// `/bin/sh -c script`. Never put foreign text into a script: use arguments.
  static command shell(std::string_view script) { return command("/bin/sh", "-c", script); }

  command& arg(std::string_view argument);
  /// Adds each string of a range.
  template <class Range>
  command& args(const Range& arguments) {
    for (const auto& a : arguments) arg(a);
    return *this;
  }
  /// The file to execute, where that is not the first word, which stays the program's own name for itself.
  command& executable(std::string_view path);

  command& in(stdio s);
  command& out(stdio s);
  command& err(stdio s);
  command& err(to_stdout_t);
  /// Files, opened by `spawn` in the parent's directory; `_to` empties or creates them, `_append` adds to them.
  command& in_from(std::string_view path);
  command& out_to(std::string_view path);
  command& out_append(std::string_view path);
  command& err_to(std::string_view path);
  command& err_append(std::string_view path);
  /// Descriptors of the parent, which keeps them. Lifetime: open until `spawn` returns.
  command& in_fd(int fd);
  command& out_fd(int fd);
  command& err_fd(int fd);
  /// The child gets the parent's descriptor `ours` as its `theirs` (3 or more).
  command& pass_fd(int ours, int theirs);
  command& pass_fd(int fd) { return pass_fd(fd, fd); }
  /// Stdin, stdout and stderr are a pseudo terminal of this size; the child leads a session which that controls.
  /// `in`, `out` and `err` after it put a single one elsewhere.
  command& terminal(terminal_size size = {});

  /// The directory the child starts in; the parent's by default.
  command& cwd(std::string_view directory);
  /// Sets a variable in the child's environment, which is otherwise the parent's.
  command& env(std::string_view name, std::string_view value);
  command& remove_env(std::string_view name);
  /// The child gets only the variables set by `env` after this.
  command& clear_env();

  /// The child leads a process group of its own, which `process::kill_group` reaches with all its children; Ctrl-C at
  /// the terminal does not, and it cannot read from there.
  command& new_group();
  /// The child joins a group, that of a process with `new_group`, say.
  command& join_group(int group);
  /// The child leads a session of its own, without a controlling terminal, and so a process group as well.
  command& new_session();
  /// Whom the child runs as. Supplementary groups are dropped. Needs privileges.
  command& uid(unsigned id);
  command& gid(unsigned id);
  command& umask(unsigned mask);

  /// The words with spaces between, for messages; not quoted for a shell.
  std::string to_string() const;

  const detail::command_parts& parts() const noexcept { return parts_; }

 private:
  command& redirect(int stream, detail::redirection r);
  detail::command_parts parts_;
};

}  // namespace cuvee::inline v0
