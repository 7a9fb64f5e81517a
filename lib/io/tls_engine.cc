// SPDX-License-Identifier: MIT
#include "tls_engine.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>

namespace cuvee::inline v0::detail {

// ---- output

tls_output::~tls_output() {
  while (first_) blocks::put(reinterpret_cast<char*>(std::exchange(first_, first_->next)));
}

void tls_output::append(const char* data, std::size_t size) {
  while (size != 0) {
    if (!last_ || last_->room() == 0) {
      auto* fresh = reinterpret_cast<block*>(blocks::get());
      fresh->next = nullptr;
      fresh->begin = fresh->end = 0;
      (last_ ? last_->next : first_) = fresh;
      last_ = fresh;
    }
    const std::size_t n = std::min(size, last_->room());
    std::memcpy(last_->data + last_->end, data, n);
    last_->end += static_cast<std::uint32_t>(n);
    size_ += n;
    data += n;
    size -= n;
  }
}

std::size_t tls_output::spans(const_bytes* into, std::size_t most) const noexcept {
  std::size_t n = 0;
  for (const block* b = first_; b && n < most; b = b->next)
    into[n++] = const_bytes(b->data + b->begin, b->end - b->begin);
  return n;
}

void tls_output::sent(std::size_t n) noexcept {
  size_ -= n;
  while (first_) {
    const std::size_t here = std::min<std::size_t>(n, first_->end - first_->begin);
    first_->begin += static_cast<std::uint32_t>(here);
    n -= here;
    if (first_->begin != first_->end) return;
    blocks::put(reinterpret_cast<char*>(std::exchange(first_, first_->next)));
  }
  last_ = nullptr;
}

// ---- what OpenSSL reads from and writes to: the engine itself, so that bytes are copied once

struct tls_engine::bio {
  static tls_engine& engine(BIO* b) noexcept { return *static_cast<tls_engine*>(BIO_get_data(b)); }

  static int read(BIO* b, char* into, std::size_t size, std::size_t* got) noexcept {
    BIO_clear_retry_flags(b);
    std::string_view& input = engine(b).input_;
    *got = std::min(size, input.size());
    if (*got == 0) {
      BIO_set_retry_read(b);
      return 0;
    }
    std::memcpy(into, input.data(), *got);
    input.remove_prefix(*got);
    return 1;
  }

  static int write(BIO* b, const char* data, std::size_t size, std::size_t* taken) noexcept {
    BIO_clear_retry_flags(b);
    tls_engine& e = engine(b);
    try {
      e.output_.append(data, size);
    } catch (const std::bad_alloc&) {
      e.no_memory_ = true;
      return 0;
    }
    *taken = size;
    return 1;
  }

  static long control(BIO*, int command, long, void*) noexcept {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static const BIO_METHOD* method() {
    static const tls_ptr<BIO_METHOD, &BIO_meth_free> made = [] {
      tls_ptr<BIO_METHOD, &BIO_meth_free> m(
          BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "cuvee"));
      if (!m) throw std::bad_alloc();
      BIO_meth_set_read_ex(m.get(), &read);
      BIO_meth_set_write_ex(m.get(), &write);
      BIO_meth_set_ctrl(m.get(), &control);
      return m;
    }();
    return made.get();
  }
};

// ---- life

namespace {

int engine_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

tls_engine* tls_engine::of(const SSL* ssl) noexcept {
  return ssl ? static_cast<tls_engine*>(SSL_get_ex_data(ssl, engine_index())) : nullptr;
}

tls_engine::tls_engine(std::shared_ptr<tls_shared> shared, const std::string& host,
                       std::string server, std::string_view protocol)
    : shared_(std::move(shared)), server_(std::move(server)), protocols_(shared_->alpn) {
  if (!protocol.empty()) protocols_ = static_cast<char>(protocol.size()) + std::string(protocol);
  tls_forget_errors();
  ssl_.reset(SSL_new(shared_->ctx.get()));
  BIO* b = ssl_ ? BIO_new(bio::method()) : nullptr;
  if (!b) throw std::bad_alloc();
  BIO_set_data(b, this);
  BIO_set_init(b, 1);
  SSL_set_bio(ssl_.get(), b, b);
  // A record costs two calls of `read` otherwise.
  SSL_set_read_ahead(ssl_.get(), 1);
  if (SSL_set_ex_data(ssl_.get(), engine_index(), this) != 1) throw std::bad_alloc();
  if (shared_->server) SSL_set_accept_state(ssl_.get());
  else set_up_client(host);
}

tls_engine::~tls_engine() {
  // OpenSSL takes the session of a connection that ends without close_notify for a bad one.
  if (established_ && !failed_)
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  ssl_.reset();
  tls_forget_errors();
}

void tls_engine::set_up_client(const std::string& host) {
  SSL* s = ssl_.get();
  SSL_set_connect_state(s);
  std::string name = host;
  if (name.ends_with('.')) name.pop_back();  // the root's dot is no part of names in certificates
  if (name.empty() && shared_->verify)
    throw error(std::make_error_code(std::errc::invalid_argument), "tls handshake", {},
                "without a host name there is nothing to check");
  // Functions of C would see, and check, what is in front of it only.
  if (name.find('\0') != name.npos)
    throw error(std::make_error_code(std::errc::invalid_argument), "tls handshake", host,
                "not a host name");
  const bool numeric = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s), name.c_str()) == 1;
  bool done = true;
  if (!numeric && !name.empty()) {
    SSL_set_hostflags(s, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    done = SSL_set1_host(s, name.c_str()) == 1 && SSL_set_tlsext_host_name(s, name.c_str()) == 1;
  }
  tls_forget_errors();
  if (!done)
    throw error(std::make_error_code(std::errc::invalid_argument), "tls handshake", host,
                "not a host name");
  if (!protocols_.empty() &&
      SSL_set_alpn_protos(s, reinterpret_cast<const unsigned char*>(protocols_.data()),
                          static_cast<unsigned>(protocols_.size())) != 0)
    throw std::bad_alloc();
  if (!shared_->resume) return;
  if (session_ptr before = shared_->sessions.take(server_)) SSL_set_session(s, before.get());
}

// ---- steps

tls_engine::step tls_engine::fail(std::error_code code, std::string text) noexcept {
  failed_ = true;
  code_ = code;
  text_ = std::move(text);
  return step::failed;
}

tls_engine::step tls_engine::stopped(int result) noexcept try {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return step::need_input;
    case SSL_ERROR_ZERO_RETURN: ended_by_peer_ = true; return step::ended;
    default: break;
  }
  const tls_reason why = tls_reason::take();
  if (no_memory_ || why.no_memory)
    return fail(std::make_error_code(std::errc::not_enough_memory), {});
  if (thrown_) {
    const error e = as_error(thrown_);
    return fail(e.code(), std::string("choosing a certificate: ") + e.what());
  }
  if (!refusal_.empty()) return fail(tls_errc::handshake_failed, refusal_);
  if (!verdict_.empty()) return fail(tls_certificate_errc(verdict_code_), verdict_);
  if (why.alert >= 0) return fail(tls_errc::refused_by_peer, "the peer refused: " + why.text);
  if (why.text == "peer did not return a certificate")
    return fail(tls_errc::certificate_missing, {});
  return fail(established_ ? tls_errc::protocol : tls_errc::handshake_failed, why.text);
} catch (const std::bad_alloc&) {
  return fail(std::make_error_code(std::errc::not_enough_memory), {});
}

tls_engine::step tls_engine::handshake() noexcept {
  if (failed_) return step::failed;
  tls_forget_errors();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) return stopped(result);
  established_ = true;
  return step::done;
}

tls_engine::step tls_engine::read(mutable_bytes into, std::size_t& got) noexcept {
  got = 0;
  if (failed_) return step::failed;
  if (ended_by_peer_) return step::ended;
  tls_forget_errors();
  while (got < into.size()) {
    std::size_t n = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data() + got, into.size() - got, &n);
    if (result != 1) {
      more_ = false;
      const step s = stopped(result);
      return got != 0 ? step::done : s;
    }
    got += n;
    // A further call would only find that there is nothing.
    if (input_.empty() && SSL_has_pending(ssl_.get()) == 0) {
      more_ = false;
      return step::done;
    }
  }
  more_ = true;
  return step::done;
}

tls_engine::step tls_engine::write(const_bytes& from) noexcept {
  if (failed_) return step::failed;
  tls_forget_errors();
  while (!from.empty()) {
    if (!output_.has_room()) return step::need_input;
    std::size_t n = 0;
    const std::size_t record = std::min<std::size_t>(from.size(), SSL3_RT_MAX_PLAIN_LENGTH);
    const int result = SSL_write_ex(ssl_.get(), from.data(), record, &n);
    if (result != 1) return stopped(result);
    from = const_bytes(from.data() + n, from.size() - n);
  }
  return step::done;
}

tls_engine::step tls_engine::write_all(const_bytes from) noexcept {
  if (failed_) return step::failed;
  tls_forget_errors();
  while (!from.empty()) {
    std::size_t n = 0;
    const int result = SSL_write_ex(ssl_.get(), from.data(), from.size(), &n);
    if (result != 1) return stopped(result);
    from = const_bytes(from.data() + n, from.size() - n);
  }
  return step::done;
}

void tls_engine::end() noexcept {
  if (!established_ || failed_ || std::exchange(ended_, true)) return;
  tls_forget_errors();
  // The peer's own end is seen by reading: only the first of SSL_shutdown's two halves is wanted.
  SSL_shutdown(ssl_.get());
  tls_forget_errors();
}

void tls_engine::update_keys() noexcept {
  if (failed_ || SSL_version(ssl_.get()) < TLS1_3_VERSION) return;
  tls_forget_errors();
  if (SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) == 1) SSL_do_handshake(ssl_.get());
  tls_forget_errors();
}

// ---- what callbacks ask for

void tls_engine::reject(X509_STORE_CTX& store) noexcept try {
  verdict_code_ = X509_STORE_CTX_get_error(&store);
  verdict_ = tls_certificate_words(verdict_code_);
  const X509* about = X509_STORE_CTX_get_current_cert(&store);
  if (!about) return;
  if (tls_certificate_errc(verdict_code_) == tls_errc::certificate_wrong_host) {
    std::string names;
    for (const std::string& name : alternative_names(*about))
      (names += names.empty() ? "" : ", ") += name;
    verdict_ += " (it is for " + (names.empty() ? subject_of(*about) : names) + ")";
    return;
  }
  verdict_ += " (" + subject_of(*about) + ")";
} catch (const std::bad_alloc&) {
  no_memory_ = true;
}

bool tls_engine::keep_session(SSL_SESSION* session) noexcept try {
  shared_->sessions.put(server_, session_ptr(session));
  return true;
} catch (const std::bad_alloc&) {
  return true;  // it was taken over, and freed
}

bool tls_engine::use(const tls_identity& identity, bool first) noexcept {
  const tls_key_pair& pair = identity.native();
  if (first) SSL_certs_clear(ssl_.get());
  return SSL_use_cert_and_key(ssl_.get(), pair.leaf.get(), pair.key.get(), pair.chain.get(), 1) ==
         1;
}

int tls_engine::choose_identity(int& alert) noexcept try {
  const char* asked = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  const std::string_view name = asked ? asked : "";
  if (const auto* found = name.empty() ? nullptr : shared_->find(name)) {
    bool first = true, done = true;
    for (const tls_identity* i : *found) done = use(*i, std::exchange(first, false)) && done;
    return done ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  if (shared_->on_name)
    if (const auto own = shared_->on_name(name))
      return use(*own, true) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  if (name.empty() || !shared_->known_names_only) return SSL_TLSEXT_ERR_OK;
  alert = SSL_AD_UNRECOGNIZED_NAME;
  refusal_ = "no certificate is for " + std::string(name);
  return SSL_TLSEXT_ERR_ALERT_FATAL;
} catch (...) {
  thrown_ = std::current_exception();
  alert = SSL_AD_INTERNAL_ERROR;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// ---- observers

error tls_engine::failure(std::string_view operation, std::string_view subject) const {
  return error(code_, operation, subject, text_);
}

tls_info tls_engine::info() const {
  SSL* s = ssl_.get();
  tls_info i;
  i.protocol = SSL_get_version(s);
  if (const char* name = SSL_get_cipher_name(s)) i.cipher = name;
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(s, &chosen, &size);
  if (size != 0) i.alpn.assign(reinterpret_cast<const char*>(chosen), size);
  if (const char* name = SSL_get_servername(s, TLSEXT_NAMETYPE_host_name)) i.server_name = name;
  i.resumed = SSL_session_reused(s) == 1;
  if (X509* peer = SSL_get0_peer_certificate(s)) i.peer = describe_certificate(*peer);
  tls_forget_errors();
  return i;
}

}  // namespace cuvee::inline v0::detail
