// SPDX-License-Identifier: MIT
#pragma once
#include "big_blocks.h"
#include "tls_shared.h"

#include <cuvee/base/bytes.h>
#include <cuvee/base/result.h>

#include <optional>

namespace cuvee::inline v0::detail {

/// Ciphertext on its way out, in blocks that stay where they are until it was sent.
class tls_output {
 public:
  static constexpr std::size_t block_bytes = 66 * 1024;  // four of the largest records
  static constexpr std::size_t record_bytes =
      16 * 1024 + 512;  // the largest, and what goes around it

  tls_output() noexcept = default;
  tls_output(const tls_output&) = delete;
  tls_output& operator=(const tls_output&) = delete;
  ~tls_output();

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  /// Whether a further record fits into the block that is being filled, or a first one.
  bool has_room() const noexcept {
    return !first_ || (first_ == last_ && last_->room() >= record_bytes);
  }
  /// Errors: std::bad_alloc.
  void append(const char* data, std::size_t size);
  /// The oldest bytes. Returns: how many spans were filled.
  std::size_t spans(const_bytes* into, std::size_t most) const noexcept;
  void sent(std::size_t n) noexcept;

 private:
  struct block {
    block* next;
    std::uint32_t begin, end;
    static constexpr std::size_t capacity = block_bytes - sizeof(block*) - 8;
    std::size_t room() const noexcept { return capacity - end; }
    char data[capacity];
  };
  static_assert(sizeof(block) == block_bytes);
  using blocks = big_blocks<block_bytes>;

  block* first_ = nullptr;
  block* last_ = nullptr;
  std::size_t size_ = 0;
};

/// One side of a TLS connection without any I/O: ciphertext comes in as a view and goes out through
/// `output`.
class tls_engine {
 public:
  enum class step : std::uint8_t {
    done,
    need_input,  // more ciphertext; for a write: or room for it
    ended,       // the peer has ended its side
    failed,      // for good: `failure`
  };

  /// `host`: what a client asks for and checks; `server`: what its sessions are kept under; `protocol`: the only
  /// one for ALPN, instead of the context's.
  tls_engine(std::shared_ptr<tls_shared> shared, const std::string& host, std::string server,
             std::string_view protocol = {});
  tls_engine(const tls_engine&) = delete;
  tls_engine& operator=(const tls_engine&) = delete;
  ~tls_engine();

  /// Ciphertext for the next steps; what they leave of it is in `input` then.
  void feed(std::string_view bytes) noexcept { input_ = bytes; }
  std::string_view input() const noexcept { return input_; }
  tls_output& output() noexcept { return output_; }
  const tls_output& output() const noexcept { return output_; }

  step handshake() noexcept;
  /// Fills `into` as far as the input reaches; `done` if that was anything.
  step read(mutable_bytes into, std::size_t& got) noexcept;
  /// Whether the last `read` stopped because `into` was full: there may be more, without more input.
  bool may_have_more() const noexcept { return more_; }
  /// Takes what there is room for. `need_input` if that is not all.
  step write(const_bytes& from) noexcept;
  /// The same for all of it, whatever the room.
  step write_all(const_bytes from) noexcept;
  /// Ends this side: close_notify. Twice is harmless.
  void end() noexcept;
  /// New keys from here on; the peer is asked to do likewise. Nothing happens below TLS 1.3.
  void update_keys() noexcept;

  bool failed() const noexcept { return failed_; }
  bool established() const noexcept { return established_; }
  bool ended_by_peer() const noexcept { return ended_by_peer_; }
  const tls_shared& shared() const noexcept { return *shared_; }
  tls_info info() const;
  /// Why it has failed. Precondition: a step said `failed`.
  error failure(std::string_view operation, std::string_view subject) const;

  // For OpenSSL's callbacks.
  static tls_engine* of(const SSL* ssl) noexcept;
  void reject(X509_STORE_CTX& store) noexcept;
  bool keep_session(SSL_SESSION* session) noexcept;
  int choose_identity(int& alert) noexcept;
  /// As on the wire.
  std::string_view protocols() const noexcept { return protocols_; }

 private:
  struct bio;
  void set_up_client(const std::string& host);
  bool use(const tls_identity& identity, bool first) noexcept;
  step stopped(int result) noexcept;
  step fail(std::error_code code, std::string text) noexcept;

  std::shared_ptr<tls_shared> shared_;
  std::string server_;
  std::string protocols_;
  ssl_ptr ssl_;
  std::string_view input_;
  tls_output output_;
  std::error_code code_;  // of the failure
  std::string text_;      // its words; empty: those of the code
  std::string refusal_;   // why this server does not go on
  std::string verdict_;   // what was wrong with the peer's certificate
  int verdict_code_ = 0;
  std::exception_ptr thrown_;  // by the user's callback
  bool more_ = false;
  bool established_ = false;
  bool ended_by_peer_ = false;
  bool ended_ = false;
  bool failed_ = false;
  bool no_memory_ = false;
};

}  // namespace cuvee::inline v0::detail
