// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/error.h>
#include <cuvee/core/time.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cuvee::inline v0 {

/// What goes wrong with TLS.
enum class tls_errc {
  handshake_failed = 1,  ///< no agreement: version, cipher, application protocol
  certificate_rejected,  ///< not trusted, for another reason than those below
  certificate_expired,
  certificate_not_yet_valid,
  certificate_wrong_host,
  certificate_self_signed,
  certificate_unknown_issuer,
  certificate_revoked,
  certificate_missing,  ///< the peer had to show one
  refused_by_peer,      ///< the peer ended it with an alert
  protocol,             ///< bytes that are not TLS, or a record that was changed on its way
  truncated,            ///< the connection ended without the end of the TLS stream
  bad_configuration,    ///< a certificate, key or option that cannot be used
};

CUVEE_API const std::error_category& tls_category() noexcept;
CUVEE_API std::error_code make_error_code(tls_errc e) noexcept;

enum class tls_version : std::uint8_t { v1_2, v1_3 };

/// What the end of the connection means where the peer has not ended the TLS stream (with close_notify).
enum class truncated_end : std::uint8_t {
  error,          ///< `tls_errc::truncated`: somebody may have cut the data short
  end_of_stream,  ///< a usual end; only where the data tells by itself that it is whole
};

/// Whether a server asks its clients for certificates.
enum class client_certificates : std::uint8_t { none, optional, required };

namespace detail {
struct tls_key_pair;
struct tls_shared;
}  // namespace detail

/// A certificate, those of its issuers, and its private key. Cheap to copy.
class CUVEE_API tls_identity {
 public:
  /// From PEM text: the chain, the own certificate first, and the key, which may be the same text.
  /// Errors: bad_configuration, also for a key that does not belong to the certificate, or is encrypted.
  tls_identity(std::string_view chain, std::string_view key);
  /// From PEM files. Errors: bad_configuration; those of reading, naming the file.
  static tls_identity load(const std::string& chain_file, const std::string& key_file);

  /// The host names it is for, in lower case; `*.example.com` stands for all names of one label more.
  const std::vector<std::string>& names() const noexcept;
  const detail::tls_key_pair& native() const noexcept { return *pair_; }

 private:
  tls_identity() noexcept = default;
  std::shared_ptr<const detail::tls_key_pair> pair_;
};

/// What clients and servers have in common. Setters return `*this`.
template <class Options>
class tls_options {
 public:
  /// Certificates to trust, in PEM: instead of the system's (client), or for client certificates (server).
  Options& ca_file(std::string path) { return set(ca_file_, std::move(path)); }
  Options& ca_pem(std::string text) { return set(ca_pem_, std::move(text)); }
  /// TLS 1.2 at first. Older ones are never spoken.
  Options& min_version(tls_version v) { return set(min_version_, v); }
  Options& max_version(tls_version v) { return set(max_version_, v); }
  /// Application protocols in order of preference, `alpn("h2", "http/1.1")`. A server refuses clients that
  /// offer only others.
  template <class... Names>
  Options& alpn(const Names&... names) {
    alpn_.clear();
    (alpn_.emplace_back(names), ...);
    return self();
  }
  /// 10 s at first.
  Options& handshake_timeout(duration limit) { return set(handshake_timeout_, limit); }
  /// How long `close` waits for the peer to end its side; 5 s at first.
  Options& shutdown_timeout(duration limit) { return set(shutdown_timeout_, limit); }
  Options& on_truncated_end(truncated_end meaning) { return set(truncated_, meaning); }

 protected:
  template <class T>
  Options& set(T& member, T value) {
    member = std::move(value);
    return self();
  }
  Options& self() noexcept { return static_cast<Options&>(*this); }

  friend struct detail::tls_shared;
  std::string ca_file_, ca_pem_;
  std::vector<std::string> alpn_;
  duration handshake_timeout_ = std::chrono::seconds(10);
  duration shutdown_timeout_ = std::chrono::seconds(5);
  tls_version min_version_ = tls_version::v1_2;
  tls_version max_version_ = tls_version::v1_3;
  truncated_end truncated_ = truncated_end::error;
};

/// How a client speaks TLS. As it is made it trusts the system's roots and checks host names.
class tls_client_options : public tls_options<tls_client_options> {
 public:
  /// Trusts the system's roots beside those of `ca_file` and `ca_pem`.
  tls_client_options& system_roots() { return set(system_roots_, true); }
  /// The client's own certificate, for servers that ask for one.
  tls_client_options& identity(tls_identity own) {
    identity_ = std::move(own);
    return *this;
  }
  /// Believes any certificate for any host: anybody on the way can read and change everything.
  tls_client_options& insecure() { return set(verify_, false); }
  /// Every connection does a whole handshake.
  tls_client_options& no_resumption() { return set(resume_, false); }

 private:
  friend struct detail::tls_shared;
  std::optional<tls_identity> identity_;
  bool system_roots_ = false;
  bool verify_ = true;
  bool resume_ = true;
};

/// How a server speaks TLS.
class tls_server_options : public tls_options<tls_server_options> {
 public:
  using name_callback = std::function<std::optional<tls_identity>(std::string_view)>;

  /// With several, a client gets one that is for the name it asks for (an RSA and an ECDSA one may stand side
  /// by side), else the first.
  tls_server_options& identity(tls_identity one) {
    identities_.push_back(std::move(one));
    return *this;
  }
  /// Asked for names that no identity is for, and for "" where the client names none; nothing: as without it.
  /// If it throws, the handshake fails with that.
  /// Threads: called on each loop that serves with the context.
  tls_server_options& on_server_name(name_callback f) {
    on_name_ = std::move(f);
    return *this;
  }
  /// Clients that ask for a name that no identity is for are refused.
  tls_server_options& known_names_only() { return set(known_names_only_, true); }
  /// Needs `ca_file` or `ca_pem`.
  tls_server_options& ask_clients(client_certificates c) { return set(clients_, c); }

 private:
  friend struct detail::tls_shared;
  std::vector<tls_identity> identities_;
  name_callback on_name_;
  client_certificates clients_ = client_certificates::none;
  bool known_names_only_ = false;
};

/// What connections of clients share: roots, own certificate, sessions to resume. Move-only.
/// In debug mode (`CUVEE_DEBUG`) keys are appended to the file that `SSLKEYLOGFILE` names.
/// Threads: any, several at once. Lifetime: connections may outlive it.
class CUVEE_API tls_client_context {
 public:
  /// Errors: bad_configuration; those of reading files.
  explicit tls_client_context(const tls_client_options& options = {});
  tls_client_context(tls_client_context&&) noexcept = default;
  tls_client_context& operator=(tls_client_context&&) noexcept = default;
  ~tls_client_context();

  const std::shared_ptr<detail::tls_shared>& native() const noexcept { return shared_; }

 private:
  std::shared_ptr<detail::tls_shared> shared_;
};

/// What connections of a server share. Move-only.
/// Threads: any, several at once. Lifetime: connections may outlive it.
class CUVEE_API tls_server_context {
 public:
  /// Errors: bad_configuration; those of reading files.
  explicit tls_server_context(const tls_server_options& options);
  tls_server_context(tls_server_context&&) noexcept = default;
  tls_server_context& operator=(tls_server_context&&) noexcept = default;
  ~tls_server_context();

  /// New certificates and settings for connections made from now on; the others keep theirs. Sessions can be
  /// resumed across it. Errors: as the constructor; nothing has changed then.
  void reload(const tls_server_options& options);
  std::shared_ptr<detail::tls_shared> native() const;

 private:
  struct current;
  std::unique_ptr<current> current_;
};

}  // namespace cuvee::inline v0

template <>
struct std::is_error_code_enum<cuvee::tls_errc> : std::true_type {};
