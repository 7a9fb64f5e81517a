// SPDX-License-Identifier: MIT
#include "process_plan.h"

#include "core/uv.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

extern char** environ;

namespace cuvee::inline v0::detail {

namespace {

constexpr const char* stream_names[] = {"stdin", "stdout", "stderr"};
constexpr std::string_view default_path = "/usr/local/bin:/usr/bin:/bin";
constexpr mode_t new_file = 0666;

std::error_code code_of(int code) { return {code, std::generic_category()}; }

int open_file(const char* path, int flags) {
  return uv::refused("open") ? -1 : ::open(path, flags | O_CLOEXEC, new_file);
}

bool has_nul(const std::string& s) { return s.find('\0') != std::string::npos; }

void point_to(std::vector<char*>& pointers, const std::vector<std::string>& strings) {
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
}

// The child's environment as `NAME=value` strings.
std::vector<std::string> environment_of(const command_parts& c) {
  std::vector<std::string> result;
  for (char** v = environ; !c.own_env && v && *v; v++) {
    std::string_view entry(*v);
    std::string_view name = entry.substr(0, entry.find('='));
    bool changed = std::any_of(c.variables.begin(), c.variables.end(),
                               [&](const auto& own) { return own.first == name; });
    if (!changed) result.emplace_back(entry);
  }
  for (const auto& [name, value] : c.variables)
    if (value) result.push_back(name + '=' + *value);
  return result;
}

}  // namespace

owned_descriptors::~owned_descriptors() {
  for (int fd : fds_) ::close(fd);
}
int owned_descriptors::add(int fd) {
  try {
    fds_.push_back(fd);
  } catch (...) {
    ::close(fd);
    throw;
  }
  return fd;
}

process_plan::process_plan(process_block& block, const command& c)
    : parts_(c.parts()), name_(block.name()) {
  check();
  variables_ = environment_of(parts_);
  point_to(plan_.environment, variables_);
  point_to(plan_.arguments, parts_.words);
  find_programs();
  plan_.shell_arguments = {const_cast<char*>("/bin/sh"), nullptr};  // and the program's file
  plan_.shell_arguments.insert(plan_.shell_arguments.end(), plan_.arguments.begin() + 1,
                               plan_.arguments.end());
  if (parts_.cwd) plan_.cwd = parts_.cwd->c_str();
  plan_.uid = parts_.uid;
  plan_.gid = parts_.gid;
  plan_.umask = parts_.umask;
  connect(block);
  // A terminal can control a session only, whose leader has a group already.
  plan_.new_session = parts_.new_session || plan_.controlled;
  if (!plan_.new_session) plan_.group = parts_.group;
}

void process_plan::check() const {
  auto refuse = [&](const char* why) {
    throw error(std::make_error_code(std::errc::invalid_argument), "spawn", name_, why);
  };
  for (const std::string& word : parts_.words)
    if (has_nul(word)) refuse("an argument contains a NUL byte");
  for (const auto& [name, value] : parts_.variables)
    if (name.empty() || name.find('=') != std::string::npos || has_nul(name) ||
        has_nul(value.value_or("")))
      refuse("not a name or value of an environment variable");
  if (parts_.cwd && (parts_.cwd->empty() || has_nul(*parts_.cwd)))
    refuse("not a name of a directory");
  for (const passed_descriptor& p : parts_.passed)
    if (p.ours < 0 || p.theirs < 3) refuse("not a descriptor to pass");
  if (parts_.group && *parts_.group < 0) refuse("not a process group");
  if (parts_.uid == ~0u || parts_.gid == ~0u) refuse("not a user or group");
}

std::string process_plan::value_of(std::string_view variable) const {
  for (const std::string& v : variables_)
    if (v.starts_with(variable) && v.size() > variable.size() && v[variable.size()] == '=')
      return v.substr(variable.size() + 1);
  return {};
}

// As execvp does it, with the child's PATH.
void process_plan::find_programs() {
  const std::string& program = parts_.executable ? *parts_.executable : parts_.words[0];
  if (program.empty() || program.find('/') != std::string::npos) {
    plan_.programs.push_back(program);
    return;
  }
  std::string path = value_of("PATH");
  if (path.empty()) path = default_path;
  for (std::size_t at = 0; at <= path.size();) {
    std::size_t end = std::min(path.find(':', at), path.size());
    std::string folder = path.substr(at, end - at);
    plan_.programs.push_back(folder.empty() ? program : folder + '/' + program);
    at = end + 1;
  }
}

void process_plan::fail(int code, const std::string& subject) const {
  throw error(code_of(code), "spawn", subject);
}

int process_plan::open_standard(process_block& block, int stream) {
  switch (parts_.streams[stream].standard) {
    case stdio::inherit: return stream;
    case stdio::pipe:
      return own_.add(block.make_pipe(static_cast<process_block::stream_index>(stream)));
    case stdio::terminal:
      if (terminal_ < 0) terminal_ = own_.add(block.make_terminal(parts_.window));
      plan_.controlled = true;
      plan_.terminal = stream;
      return terminal_;
    case stdio::null: break;
  }
  int fd = open_file("/dev/null", O_RDWR);
  if (fd < 0) fail(errno, name_);
  return own_.add(fd);
}

int process_plan::open_stream(process_block& block, int stream) {
  const redirection& r = parts_.streams[stream];
  switch (r.what) {
    case redirection::kind::standard: return open_standard(block, stream);
    case redirection::kind::descriptor: return r.fd;
    case redirection::kind::same_as_output: return plan_.moves[1].from;
    case redirection::kind::path:
    case redirection::kind::appended: break;
  }
  int place = r.what == redirection::kind::appended ? O_APPEND : O_TRUNC;
  int flags = stream == 0 ? O_RDONLY : O_WRONLY | O_CREAT | place;
  int fd = open_file(r.path.c_str(), flags);
  if (fd < 0) fail(errno, name_ + " with " + stream_names[stream] + ' ' + r.path);
  return own_.add(fd);
}

void process_plan::connect(process_block& block) {
  for (int stream : {0, 1, 2}) {
    const redirection& r = parts_.streams[stream];
    bool foreign = r.what == redirection::kind::descriptor;
    if (foreign && fcntl(r.fd, F_GETFD) < 0)
      fail(EBADF, name_ + " with " + stream_names[stream] + ' ' + std::to_string(r.fd));
    plan_.moves.push_back({open_stream(block, stream), stream});
  }
  for (const passed_descriptor& p : parts_.passed) {
    if (fcntl(p.ours, F_GETFD) < 0)
      fail(EBADF, name_ + " with descriptor " + std::to_string(p.ours));
    std::erase_if(plan_.moves, [&](const launch_plan::move& m) { return m.to == p.theirs; });
    plan_.moves.push_back({p.ours, p.theirs});
  }
  std::sort(plan_.moves.begin(), plan_.moves.end(),
            [](const auto& a, const auto& b) { return a.to < b.to; });
}

error process_plan::failure(const launch_failure& f) const {
  std::string subject = name_;
  std::error_code ignored;
  switch (f.step) {
    case launch_step::start:
    case launch_step::streams: break;
    case launch_step::session: subject += " in a new session"; break;
    case launch_step::group:
      subject += " in group " + std::to_string(plan_.group.value_or(0));
      break;
    case launch_step::terminal: subject += " at a terminal"; break;
    case launch_step::directory: subject += " in " + *parts_.cwd; break;
    case launch_step::user:
      if (parts_.uid) subject += " as user " + std::to_string(*parts_.uid);
      if (parts_.gid) subject += " as group " + std::to_string(*parts_.gid);
      break;
    case launch_step::program:
      for (const std::string& p : plan_.programs)
        if (f.code == ENOENT && p.starts_with('/') && std::filesystem::exists(p, ignored))
          return error(code_of(f.code), "spawn", name_, "the interpreter of " + p + " is missing");
      break;
  }
  return error(code_of(f.code), "spawn", subject);
}

}  // namespace cuvee::inline v0::detail
