// SPDX-License-Identifier: MIT
// Transfers URLs one after another through one client, like curl: bodies go to stdout or a file, or
// with --summary a line per URL tells status, length and SHA-256.
//   ./fetch -i http://127.0.0.1:8080/get
//   ./fetch -d 'a=1' -H 'X-Test: yes' http://127.0.0.1:8080/post
#include <cuvee/core.h>
#include <cuvee/http.h>

#include "args.h"
#include "client_tls.h"

#include <openssl/evp.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>

namespace http = cuvee::http;

namespace {

struct settings {
  bool head = false, summary = false;
  std::string output, method, data;
  std::vector<std::string> fields, urls;
  double max_time = 300;
  int max_redirects = 10;
  std::uint64_t max_body = std::numeric_limits<std::uint64_t>::max();
};

struct file_closer {
  void operator()(std::FILE* f) const noexcept {
    if (f != stdout) std::fclose(f);
  }
};
using file = std::unique_ptr<std::FILE, file_closer>;

[[noreturn]] void fail_with_errno(std::string_view operation, std::string_view name) {
  throw cuvee::error(std::error_code(errno, std::generic_category()), operation, name);
}

/// Where bodies and heads go.
class output {
 public:
  explicit output(std::string name) : name_(name.empty() ? "stdout" : std::move(name)) {
    file_.reset(name_ == "stdout" ? stdout : std::fopen(name_.c_str(), "wb"));
    if (!file_) fail_with_errno("open", name_);
  }
  void write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size())
      fail_with_errno("write", name_);
  }
  void flush() {
    if (std::fflush(file_.get()) != 0) fail_with_errno("write", name_);
  }

 private:
  std::string name_;
  file file_;
};

class sha256 {
 public:
  sha256() : context_(EVP_MD_CTX_new()) {
    check(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void add(std::string_view bytes) {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  std::string hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    check(EVP_DigestFinal_ex(context_.get(), digest, &size) == 1);
    std::string text;
    for (unsigned i = 0; i < size; i++) {
      char two[3];
      std::snprintf(two, sizeof two, "%02x", digest[i]);
      text += two;
    }
    return text;
  }

 private:
  struct deleter {
    void operator()(EVP_MD_CTX* c) const noexcept { EVP_MD_CTX_free(c); }
  };
  static void check(bool done) {
    if (!done) throw std::runtime_error("libcrypto cannot make a SHA-256");
  }
  std::unique_ptr<EVP_MD_CTX, deleter> context_;
};

http::client_request make_request(const settings& s, const std::string& url) {
  bool has_data = !s.data.empty();
  http::method verb = has_data ? http::method::post : http::method::get;
  if (!s.method.empty()) verb = *http::method_from_string(s.method);
  http::headers fields;
  for (const std::string& line : s.fields) {
    std::size_t colon = line.find(':');
    fields.add(line.substr(0, colon), line.substr(colon + 1));
  }
  if (has_data && !fields.contains("Content-Type"))
    fields.set("Content-Type", "application/x-www-form-urlencoded");
  http::client_request r(verb, url);
  r.headers(std::move(fields)).max_body(s.max_body);
  if (has_data) r.body(s.data);
  return r;
}

std::string head_text(const http::response_stream& r) {
  std::string text = "HTTP/1." + std::to_string(r.minor_version()) + ' ' +
                     std::to_string(r.status()) + ' ' + std::string(r.reason()) + "\r\n";
  return text.append(r.headers().wire()).append("\r\n");
}

cuvee::task<> transfer(http::client& client, const settings& s, const std::string& url,
                       output& out) {
  http::response_stream r = co_await client.open(make_request(s, url));
  if (s.head) out.write(head_text(r));
  while (auto piece = co_await r.body().next()) out.write(*piece);
  out.flush();
}

cuvee::task<> summarize(http::client& client, const settings& s, const std::string& url) {
  http::response_stream r = co_await client.open(make_request(s, url));
  std::uint64_t size = 0;
  sha256 digest;
  while (auto piece = co_await r.body().next()) {
    size += piece->size();
    digest.add(*piece);
  }
  std::printf("ok %d %" PRIu64 " %s\n", r.status(), size, digest.hex().c_str());
  std::fflush(stdout);
}

cuvee::task<int> amain(const settings& s, samples::client_tls& tls) {
  http::client_options options;
  options.tls = tls.context();
  options.total_timeout =
      std::chrono::duration_cast<cuvee::duration>(std::chrono::duration<double>(s.max_time));
  options.max_redirects = s.max_redirects;
  http::client client(options);
  output out(s.output);
  int status = 0;
  for (const std::string& url : s.urls) {
    try {
      if (s.summary) co_await summarize(client, s, url);
      else co_await transfer(client, s, url, out);
    } catch (const cuvee::error& e) {
      status = 1;
      if (s.summary) std::printf("error %s\n", e.what());
      else std::fprintf(stderr, "fetch: %s\n", e.what());
      std::fflush(stdout);
    }
  }
  co_return status;
}

/// What the command line parser cannot know. Returns: what is wrong; empty if nothing.
std::string objection(const settings& s) {
  if (!s.method.empty() && !http::method_from_string(s.method))
    return "-X: " + s.method + " is not a method (names are upper case)";
  for (const std::string& line : s.fields)
    if (line.find(':') == line.npos || line[0] == ':') return "-H: not a `Name: value`: " + line;
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  samples::args args("fetch", "Transfers URLs through one HTTP client.");
  args.flag("-i, --include", s.head, "show the status line and the headers, too")
      .value("-o, --output FILE", s.output, "where bodies go (stdout)")
      .value("-X, --request METHOD", s.method, "the method (GET, or POST with -d)")
      .values("-H, --header LINE", s.fields, "a header, `Name: value`; repeatable")
      .value("-d, --data TEXT", s.data, "a body to send, form data unless -H says otherwise")
      .number<double>("--max-time SECONDS", s.max_time, 0.001, 1e6, "for each URL (300)")
      .number("--max-redirects N", s.max_redirects, 0, 1000, "more are an error (10)")
      .number<std::uint64_t>("--max-body BYTES", s.max_body, 0, s.max_body,
                             "larger bodies are an error (no limit)")
      .flag("--summary", s.summary, "a line per URL: ok STATUS LENGTH SHA256, or error TEXT")
      .positionals("URL...", s.urls, 1);
  samples::client_tls tls(args);
  if (auto status = args.parse(argc, argv)) return *status;
  if (std::string wrong = objection(s); !wrong.empty()) {
    std::fprintf(stderr, "fetch: %s\n", wrong.c_str());
    return 2;
  }
  return cuvee::run([&] { return amain(s, tls); });
}
