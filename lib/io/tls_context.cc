// SPDX-License-Identifier: MIT
#include "tls_engine.h"

#include <openssl/err.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace cuvee::inline v0 {

namespace detail {

// ---- sessions

void session_cache::put(const std::string& server, session_ptr session) {
  std::lock_guard lock(mutex_);
  auto found = by_server_.find(server);
  if (found == by_server_.end()) {
    entries_.push_front({server, {}});
    found = by_server_.emplace(entries_.front().server, entries_.begin()).first;
    if (entries_.size() > most_servers) {
      by_server_.erase(entries_.back().server);
      entries_.pop_back();
    }
  } else {
    entries_.splice(entries_.begin(), entries_, found->second);
  }
  std::vector<session_ptr>& sessions = found->second->sessions;
  if (sessions.size() == most_each) sessions.erase(sessions.begin());
  sessions.push_back(std::move(session));
}

session_ptr session_cache::take(const std::string& server) {
  std::lock_guard lock(mutex_);
  const auto found = by_server_.find(server);
  if (found == by_server_.end()) return nullptr;
  std::vector<session_ptr>& sessions = found->second->sessions;
  while (!sessions.empty()) {
    SSL_SESSION* newest = sessions.back().get();
    const bool good = SSL_SESSION_is_resumable(newest) == 1;
    if (good && SSL_SESSION_get_protocol_version(newest) < TLS1_3_VERSION) {
      SSL_SESSION_up_ref(newest);
      return session_ptr(newest);
    }
    session_ptr last = std::move(sessions.back());
    sessions.pop_back();
    if (good) return last;
  }
  return nullptr;
}

// ---- setting up

namespace {

void require(bool done, std::string_view what) {
  if (!done) throw tls_bad_configuration({}, what);
}

bool is_set(const char* variable) noexcept {
  const char* text = std::getenv(variable);
  return text && *text && std::string_view(text) != "0";
}

// Opened for each line, as connections of all threads write to it; a line is one write.
void log_key(const SSL*, const char* line) {
  const char* path = std::getenv("SSLKEYLOGFILE");
  if (!path || !*path) return;
  const int fd = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  try {
    const std::string text = std::string(line) + '\n';
    (void)!::write(fd, text.data(), text.size());
  } catch (const std::bad_alloc&) {  // then without that line
  }
  ::close(fd);
}

// For what OpenSSL calls: nothing may be thrown through it.
int on_verify(int good, X509_STORE_CTX* store) noexcept {
  if (good == 1) return 1;
  const void* ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  if (tls_engine* e = tls_engine::of(static_cast<const SSL*>(ssl))) e->reject(*store);
  return 0;
}

int on_session(SSL* ssl, SSL_SESSION* session) noexcept {
  tls_engine* e = tls_engine::of(ssl);
  return e && e->keep_session(session) ? 1 : 0;
}

int on_server_name(SSL* ssl, int* alert, void*) noexcept {
  tls_engine* e = tls_engine::of(ssl);
  return e ? e->choose_identity(*alert) : SSL_TLSEXT_ERR_OK;
}

int choose_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                const unsigned char* in, unsigned in_size, void*) noexcept {
  const tls_engine* e = tls_engine::of(ssl);
  const std::string_view ours = e ? e->protocols() : std::string_view();
  if (ours.empty()) return SSL_TLSEXT_ERR_NOACK;
  const int found = SSL_select_next_proto(const_cast<unsigned char**>(out), out_size,
                                          reinterpret_cast<const unsigned char*>(ours.data()),
                                          static_cast<unsigned>(ours.size()), in, in_size);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int native_version(tls_version v) noexcept {
  return v == tls_version::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
}

void add_trusted(X509_STORE* store, std::string_view pem, std::string_view subject) {
  const x509_chain all = parse_certificates(pem, subject);
  for (int i = 0; i < sk_X509_num(all.get()); i++)
    require(X509_STORE_add_cert(store, sk_X509_value(all.get(), i)) == 1, "trust a certificate");
}

std::string lower(std::string_view text) {
  std::string all(text);
  for (char& c : all) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return all;
}

}  // namespace

template <class Options>
void tls_shared::configure(const tls_options<Options>& o) {
  tls_forget_errors();
  ctx.reset(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()));
  require(ctx != nullptr, "make a context");
  SSL_CTX* c = ctx.get();
  require(o.min_version_ <= o.max_version_, "the lowest version is above the highest");
  require(SSL_CTX_set_min_proto_version(c, native_version(o.min_version_)) == 1 &&
              SSL_CTX_set_max_proto_version(c, native_version(o.max_version_)) == 1,
          "set the versions");
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Without RELEASE_BUFFERS an idle connection holds 34 KiB.
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  for (const std::string& name : o.alpn_) {
    require(!name.empty() && name.size() < 256, "an application protocol has 1 to 255 bytes");
    (alpn += static_cast<char>(name.size())) += name;
  }
  if (is_set("CUVEE_DEBUG") && is_set("SSLKEYLOGFILE")) SSL_CTX_set_keylog_callback(c, &log_key);
}

template <class Options>
void tls_shared::trust(const tls_options<Options>& o) {
  X509_STORE* store = SSL_CTX_get_cert_store(ctx.get());
  std::string pem = o.ca_pem_;
  if (!o.ca_file_.empty()) add_trusted(store, read_pem_file(o.ca_file_), o.ca_file_);
  if (!pem.empty()) add_trusted(store, pem, "certificates to trust");
}

void tls_shared::use(const tls_identity& identity) {
  const tls_key_pair& pair = identity.native();
  require(SSL_CTX_use_cert_and_key(ctx.get(), pair.leaf.get(), pair.key.get(), pair.chain.get(),
                                   1) == 1,
          "use the certificate");
}

tls_shared::tls_shared(const tls_client_options& o)
    : server(false),
      verify(o.verify_),
      resume(o.resume_),
      truncated(o.truncated_),
      handshake_timeout(o.handshake_timeout_),
      shutdown_timeout(o.shutdown_timeout_) {
  configure(o);
  SSL_CTX* c = ctx.get();
  if (o.system_roots_ || (o.ca_file_.empty() && o.ca_pem_.empty()))
    require(SSL_CTX_set_default_verify_paths(c) == 1, "find the system's roots");
  trust(o);
  SSL_CTX_set_verify(c, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, &on_verify);
  if (o.identity_) use(*o.identity_);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  if (resume) SSL_CTX_sess_set_new_cb(c, &on_session);
}

tls_shared::tls_shared(const tls_server_options& o, const tls_shared* before)
    : server(true),
      known_names_only(o.known_names_only_),
      truncated(o.truncated_),
      handshake_timeout(o.handshake_timeout_),
      shutdown_timeout(o.shutdown_timeout_),
      on_name(o.on_name_),
      identities_(o.identities_) {
  configure(o);
  SSL_CTX* c = ctx.get();
  require(!identities_.empty(), "a server needs a certificate");
  for (const tls_identity& i : identities_)
    for (const std::string& name : i.names()) by_name_[name].push_back(&i);
  use(identities_.front());
  if (identities_.size() > 1 || on_name || known_names_only)
    SSL_CTX_set_tlsext_servername_callback(c, &on_server_name);
  SSL_CTX_set_alpn_select_cb(c, &choose_alpn, nullptr);
  ask_clients(o);
  // Tickets carry all there is to know: no memory of ours for sessions.
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  constexpr unsigned char id[] = "cuvee";
  require(SSL_CTX_set_session_id_context(c, id, sizeof id) == 1, "name the sessions");
  if (before) keep_ticket_keys(*before);
}

void tls_shared::ask_clients(const tls_server_options& o) {
  if (o.clients_ == client_certificates::none) return;
  require(!o.ca_file_.empty() || !o.ca_pem_.empty(), "client certificates need ca_file or ca_pem");
  trust(o);
  client_rules_ = o.clients_ == client_certificates::required ? "required\n" : "optional\n";
  std::string pem = o.ca_pem_;
  if (!o.ca_file_.empty()) (pem += '\n') += read_pem_file(o.ca_file_);
  client_rules_ += pem;
  const x509_chain all = parse_certificates(pem, "certificates to trust");
  for (int i = 0; i < sk_X509_num(all.get()); i++)
    require(SSL_CTX_add_client_CA(ctx.get(), sk_X509_value(all.get(), i)) == 1, "name the issuers");
  const bool required = o.clients_ == client_certificates::required;
  SSL_CTX_set_verify(ctx.get(), SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     &on_verify);
}

// A resumed session is not checked again: it must have been made under the same rules.
void tls_shared::keep_ticket_keys(const tls_shared& before) {
  if (client_rules_ != before.client_rules_) return;
  const long size = SSL_CTX_get_tlsext_ticket_keys(before.ctx.get(), nullptr, 0);
  if (size <= 0) return;
  std::vector<unsigned char> keys(static_cast<std::size_t>(size));
  if (SSL_CTX_get_tlsext_ticket_keys(before.ctx.get(), keys.data(), size) == 1)
    SSL_CTX_set_tlsext_ticket_keys(ctx.get(), keys.data(), size);
  OPENSSL_cleanse(keys.data(), keys.size());
  tls_forget_errors();
}

const std::vector<const tls_identity*>* tls_shared::find(std::string_view host) const {
  const std::string name = lower(host);
  auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    const std::size_t dot = name.find('.');
    if (dot != name.npos) found = by_name_.find('*' + name.substr(dot));
  }
  return found == by_name_.end() ? nullptr : &found->second;
}

}  // namespace detail

// ---- the public handles

tls_client_context::tls_client_context(const tls_client_options& options)
    : shared_(std::make_shared<detail::tls_shared>(options)) {}
tls_client_context::~tls_client_context() = default;

struct tls_server_context::current {
  std::mutex mutex;
  std::shared_ptr<detail::tls_shared> shared;
};

tls_server_context::tls_server_context(const tls_server_options& options)
    : current_(std::make_unique<current>()) {
  current_->shared = std::make_shared<detail::tls_shared>(options, nullptr);
}
tls_server_context::~tls_server_context() = default;

void tls_server_context::reload(const tls_server_options& options) {
  const auto before = native();
  auto next = std::make_shared<detail::tls_shared>(options, before.get());
  std::lock_guard lock(current_->mutex);
  current_->shared = std::move(next);
}

std::shared_ptr<detail::tls_shared> tls_server_context::native() const {
  std::lock_guard lock(current_->mutex);
  return current_->shared;
}

}  // namespace cuvee::inline v0
