// SPDX-License-Identifier: MIT
// Servers of others that tests start as children, where they are installed.
#pragma once
#include <cuvee/core.h>
#include <cuvee/io.h>

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace peers {

/// A folder that goes with its owner.
class temporary_folder {
 public:
  temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "cuvee-test-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("cannot make a temporary folder");
    path_ = name;
  }
  temporary_folder(temporary_folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ~temporary_folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

/// A server that listens.
struct peer {
  temporary_folder folder;
  cuvee::process child;
  std::uint16_t port;

  std::string url(std::string_view path) const {
    return ("http://127.0.0.1:" + std::to_string(port)).append(path);
  }
  cuvee::task<> stop() {
    child.kill(SIGKILL);
    co_await child.wait();
  }
};

inline std::uint16_t free_port() {
  return cuvee::listen(cuvee::endpoint("127.0.0.1", 0)).local().port();
}

inline cuvee::task<> until_listening(std::uint16_t port) {
  for (int i = 0; i < 2000; i++) {
    auto s = co_await cuvee::as_result(cuvee::connect(cuvee::endpoint("127.0.0.1", port)));
    if (s) co_return;
    co_await cuvee::sleep(std::chrono::milliseconds(10));
  }
  throw std::runtime_error("the peer does not listen");
}

inline bool skipped(const char* what) {
  std::printf("skipped: %s is not installed\n", what);
  return true;
}

/// nginx that serves a folder. Empty if it is not installed.
inline cuvee::task<std::optional<peer>> start_nginx(std::string root) {
  constexpr const char* program = "/usr/sbin/nginx";
  if (!std::filesystem::exists(program)) co_return std::nullopt;
  temporary_folder folder;
  std::uint16_t port = free_port();
  const std::string& at = folder.path();
  std::ofstream(at + "/nginx.conf")
      << "daemon off; master_process off; pid " << at << "/pid; error_log stderr crit;\n"
      << "events { worker_connections 256; }\n"
      << "http { access_log off; client_body_temp_path " << at << "/body; proxy_temp_path " << at
      << "/proxy; fastcgi_temp_path " << at << "/fastcgi; uwsgi_temp_path " << at
      << "/uwsgi; scgi_temp_path " << at << "/scgi;\n"
      << "server { listen 127.0.0.1:" << port << "; root " << root << "; } }\n";
  cuvee::process child =
      cuvee::spawn(cuvee::command(program, "-e", "stderr", "-p", at, "-c", at + "/nginx.conf"));
  co_await until_listening(port);
  co_return peer{std::move(folder), std::move(child), port};
}

/// Debian's httpbin. Empty if it is not installed.
inline cuvee::task<std::optional<peer>> start_httpbin() {
  constexpr const char* program = "/usr/bin/python3";
  constexpr const char* module = "/usr/lib/python3/dist-packages/httpbin";
  if (!std::filesystem::exists(program) || !std::filesystem::exists(module)) co_return std::nullopt;
  temporary_folder folder;
  std::uint16_t port = free_port();
  cuvee::command c(program, "-m", "httpbin.core", "--port", std::to_string(port));
  c.out(cuvee::stdio::null).err(cuvee::stdio::null);
  cuvee::process child = cuvee::spawn(c);
  co_await until_listening(port);
  co_return peer{std::move(folder), std::move(child), port};
}

/// Files below a folder that a web server can serve: paths relative to it, and sizes.
inline std::vector<std::pair<std::string, std::uintmax_t>> some_files(const std::string& root,
                                                                      std::size_t most) {
  namespace fs = std::filesystem;
  std::vector<std::pair<std::string, std::uintmax_t>> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (files.size() == most) break;
    std::string name = entry.path().string().substr(root.size());
    bool plain = name.find_first_of("%?# ") == name.npos;
    if (entry.is_regular_file() && !entry.is_symlink() && plain)
      files.emplace_back(name, entry.file_size());
  }
  return files;
}

}  // namespace peers
