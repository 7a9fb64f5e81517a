// SPDX-License-Identifier: MIT
#include "tls_certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <limits>
#include <sstream>

namespace cuvee::inline v0 {

namespace detail {

namespace {

using bio_ptr = tls_ptr<BIO, &BIO_free>;

bio_ptr reading(std::string_view text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw std::bad_alloc();
  bio_ptr b(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!b) throw std::bad_alloc();
  return b;
}

bio_ptr writing() {
  bio_ptr b(BIO_new(BIO_s_mem()));
  if (!b) throw std::bad_alloc();
  return b;
}

std::string content(BIO& b) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(&b, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string one_line(const X509_NAME* name) {
  bio_ptr b = writing();
  // Names in UTF-8 stay readable; what could forge a line is escaped all the same.
  X509_NAME_print_ex(b.get(), name, 0,
                     XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  return content(*b);
}

std::string time_text(const ASN1_TIME* t) {
  std::tm parts{};
  if (!t || ASN1_TIME_to_tm(t, &parts) != 1) return {};
  char text[64];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string fingerprint(const X509& certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest, &size) != 1) return {};
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; i++) (text += digits[digest[i] >> 4]) += digits[digest[i] & 15];
  return text;
}

std::string name_text(const GENERAL_NAME& n) {
  int type = 0;
  void* value = GENERAL_NAME_get0_value(&n, &type);
  if (type != GEN_DNS && type != GEN_URI && type != GEN_EMAIL && type != GEN_IPADD) return {};
  const auto* text = static_cast<const ASN1_STRING*>(value);
  const unsigned char* data = ASN1_STRING_get0_data(text);
  const auto size = static_cast<std::size_t>(ASN1_STRING_length(text));
  if (type != GEN_IPADD) return {reinterpret_cast<const char*>(data), size};
  char address[INET6_ADDRSTRLEN] = {};
  if (size == 4) inet_ntop(AF_INET, data, address, sizeof address);
  if (size == 16) inet_ntop(AF_INET6, data, address, sizeof address);
  return address;
}

// An encrypted key has no password here; OpenSSL would ask the terminal for one.
int no_password(char*, int, int, void*) noexcept { return -1; }

// RFC 6125 §6.4.4: the common name counts only where there is no alternative name.
std::vector<std::string> host_names(const X509& certificate) {
  std::vector<std::string> names = alternative_names(certificate);
  if (names.empty()) {
    char text[256];
    const int n = X509_NAME_get_text_by_NID(X509_get_subject_name(&certificate), NID_commonName,
                                            text, sizeof text);
    if (n > 0) names.emplace_back(text, static_cast<std::size_t>(n));
  }
  for (std::string& name : names)
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return names;
}

}  // namespace

x509_chain parse_certificates(std::string_view pem, std::string_view subject) {
  tls_forget_errors();
  bio_ptr in = reading(pem);
  x509_chain all(sk_X509_new_null());
  if (!all) throw std::bad_alloc();
  while (x509_ptr one{PEM_read_bio_X509_AUX(in.get(), nullptr, &no_password, nullptr)}) {
    if (sk_X509_push(all.get(), one.get()) == 0) throw std::bad_alloc();
    (void)one.release();
  }
  const unsigned long last = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  if (!at_end) throw tls_bad_configuration(subject, "a broken certificate");
  ERR_clear_error();
  if (sk_X509_num(all.get()) == 0) throw tls_bad_configuration(subject, "no certificate in it");
  return all;
}

std::string read_pem_file(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  if (in) text << in.rdbuf();
  if (!in || !text) {
    const int e = errno != 0 ? errno : EIO;
    throw error(std::error_code(e, std::generic_category()), "read", path);
  }
  return text.str();
}

std::string subject_of(const X509& certificate) {
  return one_line(X509_get_subject_name(&certificate));
}

std::vector<std::string> alternative_names(const X509& certificate) {
  std::vector<std::string> names;
  tls_ptr<GENERAL_NAMES, &GENERAL_NAMES_free> all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); i++)
    if (std::string name = name_text(*sk_GENERAL_NAME_value(all.get(), i)); !name.empty())
      names.push_back(std::move(name));
  tls_forget_errors();
  return names;
}

tls_certificate describe_certificate(X509& certificate) {
  tls_certificate c;
  c.subject = subject_of(certificate);
  c.issuer = one_line(X509_get_issuer_name(&certificate));
  c.names = alternative_names(certificate);
  c.not_before = time_text(X509_get0_notBefore(&certificate));
  c.not_after = time_text(X509_get0_notAfter(&certificate));
  c.sha256 = fingerprint(certificate);
  bio_ptr der = writing(), pem = writing();
  if (i2d_X509_bio(der.get(), &certificate) == 1) c.der = content(*der);
  if (PEM_write_bio_X509(pem.get(), &certificate) == 1) c.pem = content(*pem);
  tls_forget_errors();
  return c;
}

}  // namespace detail

namespace {

std::shared_ptr<const detail::tls_key_pair> parse_identity(std::string_view chain,
                                                           std::string_view key,
                                                           std::string_view chain_name,
                                                           std::string_view key_name) {
  auto pair = std::make_shared<detail::tls_key_pair>();
  pair->chain = detail::parse_certificates(chain, chain_name);
  pair->leaf.reset(sk_X509_shift(pair->chain.get()));
  detail::bio_ptr in = detail::reading(key);
  pair->key.reset(PEM_read_bio_PrivateKey(in.get(), nullptr, &detail::no_password, nullptr));
  if (!pair->key) throw detail::tls_bad_configuration(key_name, "no private key that can be read");
  if (X509_check_private_key(pair->leaf.get(), pair->key.get()) != 1)
    throw detail::tls_bad_configuration(key_name, "the key is not that of the certificate");
  pair->names = detail::host_names(*pair->leaf);
  return pair;
}

}  // namespace

tls_identity::tls_identity(std::string_view chain, std::string_view key)
    : pair_(parse_identity(chain, key, "certificate", "private key")) {}

tls_identity tls_identity::load(const std::string& chain_file, const std::string& key_file) {
  const std::string chain = detail::read_pem_file(chain_file),
                    key = detail::read_pem_file(key_file);
  tls_identity loaded;
  loaded.pair_ = parse_identity(chain, key, chain_file, key_file);
  return loaded;
}

const std::vector<std::string>& tls_identity::names() const noexcept { return pair_->names; }

}  // namespace cuvee::inline v0
