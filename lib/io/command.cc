// SPDX-License-Identifier: MIT
#include <cuvee/io/command.h>

namespace cuvee::inline v0 {

using detail::redirection;

namespace {

redirection standard(stdio s) { return {redirection::kind::standard, s, -1, {}}; }
redirection file(redirection::kind k, std::string_view path) {
  return {k, stdio::inherit, -1, std::string(path)};
}
redirection descriptor(int fd) { return {redirection::kind::descriptor, stdio::inherit, fd, {}}; }

}  // namespace

command& command::redirect(int stream, redirection r) {
  parts_.streams[stream] = std::move(r);
  return *this;
}

command& command::arg(std::string_view argument) {
  parts_.words.emplace_back(argument);
  return *this;
}
command& command::executable(std::string_view path) {
  parts_.executable.emplace(path);
  return *this;
}
command& command::in(stdio s) { return redirect(0, standard(s)); }
command& command::out(stdio s) { return redirect(1, standard(s)); }
command& command::err(stdio s) { return redirect(2, standard(s)); }
command& command::err(to_stdout_t) {
  return redirect(2, {redirection::kind::same_as_output, stdio::inherit, -1, {}});
}
command& command::in_from(std::string_view path) {
  return redirect(0, file(redirection::kind::path, path));
}
command& command::out_to(std::string_view path) {
  return redirect(1, file(redirection::kind::path, path));
}
command& command::out_append(std::string_view path) {
  return redirect(1, file(redirection::kind::appended, path));
}
command& command::err_to(std::string_view path) {
  return redirect(2, file(redirection::kind::path, path));
}
command& command::err_append(std::string_view path) {
  return redirect(2, file(redirection::kind::appended, path));
}
command& command::in_fd(int fd) { return redirect(0, descriptor(fd)); }
command& command::out_fd(int fd) { return redirect(1, descriptor(fd)); }
command& command::err_fd(int fd) { return redirect(2, descriptor(fd)); }
command& command::pass_fd(int ours, int theirs) {
  parts_.passed.push_back({ours, theirs});
  return *this;
}
command& command::terminal(terminal_size size) {
  parts_.window = size;
  for (int stream : {0, 1, 2}) redirect(stream, standard(stdio::terminal));
  return *this;
}

command& command::cwd(std::string_view directory) {
  parts_.cwd.emplace(directory);
  return *this;
}
command& command::env(std::string_view name, std::string_view value) {
  std::erase_if(parts_.variables, [&](const auto& v) { return v.first == name; });
  parts_.variables.emplace_back(name, value);
  return *this;
}
command& command::remove_env(std::string_view name) {
  std::erase_if(parts_.variables, [&](const auto& v) { return v.first == name; });
  parts_.variables.emplace_back(name, std::nullopt);
  return *this;
}
command& command::clear_env() {
  parts_.own_env = true;
  parts_.variables.clear();
  return *this;
}

command& command::new_group() { return join_group(0); }
command& command::join_group(int group) {
  parts_.group = group;
  return *this;
}
command& command::new_session() {
  parts_.new_session = true;
  return *this;
}
command& command::uid(unsigned id) {
  parts_.uid = id;
  return *this;
}
command& command::gid(unsigned id) {
  parts_.gid = id;
  return *this;
}
command& command::umask(unsigned mask) {
  parts_.umask = mask;
  return *this;
}

std::string command::to_string() const {
  std::string text;
  for (const std::string& word : parts_.words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

}  // namespace cuvee::inline v0
