// SPDX-License-Identifier: MIT
// What the tests of files share.
#pragma once
#include "io_case.h"
#include "peer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace file_case {

/// A folder for one test, looked at by other means than ours.
struct folder : peers::temporary_folder {
  std::string at(std::string_view name) const { return path() + '/' + std::string(name); }
  std::string put(std::string_view name, std::string_view text) const {
    std::ofstream(at(name), std::ios::binary) << text;
    return at(name);
  }
  std::string get(std::string_view name) const {
    std::ifstream in(at(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool has(std::string_view name) const { return access(at(name).c_str(), F_OK) == 0; }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(path()))
      all.push_back(entry.path().filename().string());
    std::sort(all.begin(), all.end());
    return all;
  }
  unsigned permissions(std::string_view name) const {
    struct stat s{};
    stat(at(name).c_str(), &s);
    return s.st_mode & 07777;
  }
  std::string fifo(std::string_view name) const {
    if (mkfifo(at(name).c_str(), 0600) != 0) throw std::runtime_error("cannot make a FIFO");
    return at(name);
  }
};

/// Holds all threads of libuv's pool until it is released: reads of a FIFO that nobody writes to.
class blocked_pool {
 public:
  blocked_pool(const folder& in, cuvee::group& g) : path_(in.fifo("blocker")) {
    end_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
    const char* size = std::getenv("UV_THREADPOOL_SIZE");
    threads_ = size ? std::atoi(size) : 4;
    for (int i = 0; i < threads_; i++) g.spawn(&hold, std::ref(*this));
  }
  blocked_pool(const blocked_pool&) = delete;
  ~blocked_pool() { ::close(end_); }

  /// The pool has all of them in its queue, or begun, before what is asked from now on.
  cuvee::task<> until_blocked() const {
    while (reading_ < threads_) co_await cuvee::checkpoint();
  }
  void release() const {
    std::string bytes(static_cast<std::size_t>(threads_), 'x');
    if (::write(end_, bytes.data(), bytes.size()) < 0) throw std::runtime_error("blocker");
  }

 private:
  static cuvee::task<> hold(blocked_pool& pool) {
    cuvee::open_mode how = cuvee::open_mode::read | cuvee::open_mode::write;
    cuvee::file f = co_await cuvee::open_file(pool.path_, how);
    char byte;
    pool.reading_++;
    co_await f.read_some(cuvee::mutable_bytes(&byte, 1));
  }
  std::string path_;
  int end_;
  int threads_;
  int reading_ = 0;
};

/// Calls that were made before have begun: the pool takes them in order.
inline cuvee::task<> until_begun() { co_await cuvee::files::stat("/"); }

}  // namespace file_case
