// SPDX-License-Identifier: MIT
// https with clients and servers that others have written.
#include "server_case.h"
#include "test_ca.h"

using namespace cuvee;
using namespace std::chrono_literals;

namespace {

http::client trusting() {
  static const tls_client_context context(test_ca::client_options());
  http::client_options o;
  o.tls = &context;
  return http::client(o);
}

task<> serving_securely(auto client) {
  static const tls_server_context context(test_ca::server_options());
  http::app a;
  a.get("/", [] { return "Hello"; });
  a.get("/big", [] { return std::string(3'000'000, 'b'); });
  a.post("/size", [](http::request& r) -> task<http::response> {
    std::uint64_t size = 0;
    while (auto piece = co_await r.body().next()) size += piece->size();
    co_return http::response(std::to_string(size));
  });
  http::serve_options o;
  o.tls = &context;
  o.limits.body_bytes = 100 << 20;
  co_await server_case::serving(a, o, std::move(client));
}

command curl(const endpoint& at, std::string_view path) {
  return command("curl", "-sS", "--max-time", "60", "--cacert", test_ca::shared().file(),
                 ("https://localhost:" + std::to_string(at.port())).append(path));
}

bool has_curl() { return std::filesystem::exists("/usr/bin/curl") || !peers::skipped("curl"); }

std::string node() {
  for (const char* path : {"/usr/bin/node", "/usr/local/bin/node"})
    if (std::filesystem::exists(path)) return path;
  peers::skipped("Node");
  return {};
}

std::string written(const peers::temporary_folder& folder, std::string_view text) {
  std::string name = folder.path() + "/script.js";
  std::ofstream(name) << text;
  return name;
}

}  // namespace

TEST_SUITE_BEGIN("slow");

CUVEE_TEST_CASE("https with curl: pages, uploads, several requests on a connection") {
  if (!has_curl()) co_return;
  co_await serving_securely([](endpoint at) -> task<> {
    process_result r = co_await run_process(curl(at, "/").arg("-v"), capture::all);
    CHECK_MESSAGE(r.status.success(), r.err);
    CHECK(r.out == "Hello");
    CHECK(r.err.find("ALPN: server accepted http/1.1") != std::string::npos);
    CHECK(r.err.find("TLSv1.3") != std::string::npos);
    CHECK(r.err.find("Connection state changed") == std::string::npos);
    r = co_await run_process(curl(at, "/big").arg("--tls-max").arg("1.2"), capture::all);
    CHECK(r.out.size() == 3'000'000);
    const std::string big(20 << 20, 'x');
    r = co_await run_process(curl(at, "/size").arg("--data-binary").arg("@-").in(stdio::pipe),
                             capture::all, big);
    CHECK(r.out == std::to_string(big.size()));
    command strict("curl", "-sS", "https://localhost:" + std::to_string(at.port()));
    r = co_await run_process(std::move(strict), capture::all);
    CHECK(r.status.code() == 60);  // it does not know our authority
  });
}

CUVEE_TEST_CASE("https with Node: as a client with and without keep-alive") {
  const std::string program = node();
  if (program.empty()) co_return;
  co_await serving_securely([&program](endpoint at) -> task<> {
    peers::temporary_folder folder;
    std::string script = written(folder, R"js(
      const https = require('https'), fs = require('fs');
      const [port, ca] = process.argv.slice(2);
      const agent = new https.Agent({ keepAlive: true, ca: fs.readFileSync(ca) });
      const get = (path) => new Promise((done, fail) => https.get(
        { host: '127.0.0.1', servername: 'localhost', port, path, agent }, (r) => {
          let size = 0;
          r.on('data', (d) => size += d.length).on('end', () => done(size)).on('error', fail);
        }).on('error', fail));
      (async () => {
        for (let i = 0; i < 5; i++) await get('/');
        console.log(await get('/'), await get('/big'));
        agent.destroy();
      })();
    )js");
    command c(program, script, std::to_string(at.port()), test_ca::shared().file());
    process_result r = co_await run_process(std::move(c), capture::all);
    CHECK_MESSAGE(r.status.success(), r.err);
    CHECK(r.out == "5 3000000\n");
  });
}

CUVEE_TEST_CASE("https with Node: as a server") {
  const std::string program = node();
  if (program.empty()) co_return;
  peers::temporary_folder folder;
  std::string script = written(folder, R"js(
    const https = require('https'), fs = require('fs');
    const [cert, key] = process.argv.slice(2);
    https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) }, (q, r) => {
      let size = 0;
      q.on('data', (d) => size += d.length).on('end', () => r.end('got ' + size + ' at ' + q.url));
    }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
  )js");
  const test_ca::leaf& own = test_ca::server_leaf();
  process server = spawn(command(program, script, own.certificate, own.key).out(stdio::pipe));
  std::string port;
  char byte;
  while (std::size_t n = co_await server.out().read_some(mutable_bytes(&byte, 1))) {
    if (n == 0 || byte == '\n') break;
    port += byte;
  }
  http::client c = trusting();
  for (int i = 0; i < 3; i++) {
    http::client_request r(http::method::post, "https://127.0.0.1:" + port + "/x");
    r.body(std::string(1'000'000, 'x'));
    auto page = co_await c.fetch(std::move(r));
    CHECK(page.body() == "got 1000000 at /x");
  }
  CHECK(c.connections() == 1);
  server.kill(SIGKILL);
  co_await server.wait();
}

CUVEE_TEST_CASE("https with nginx: real files, connections that it closes are resumed") {
  constexpr const char* program = "/usr/sbin/nginx";
  if (!std::filesystem::exists(program) && peers::skipped("nginx")) co_return;
  peers::temporary_folder folder;
  const std::string& at = folder.path();
  const std::uint16_t port = peers::free_port();
  const test_ca::leaf& own = test_ca::server_leaf();
  std::ofstream(at + "/nginx.conf")
      << "daemon off; master_process off; pid " << at << "/pid; error_log stderr crit;\n"
      << "events { worker_connections 256; }\n"
      << "http { access_log off; client_body_temp_path " << at << "/body; proxy_temp_path " << at
      << "/proxy; fastcgi_temp_path " << at << "/fastcgi; uwsgi_temp_path " << at
      << "/uwsgi; scgi_temp_path " << at << "/scgi; keepalive_requests 10;\n"
      << "server { listen 127.0.0.1:" << port << " ssl; ssl_certificate " << own.certificate
      << "; ssl_certificate_key " << own.key << "; root /usr/share/doc; } }\n";
  process child = spawn(command(program, "-e", "stderr", "-p", at, "-c", at + "/nginx.conf"));
  co_await peers::until_listening(port);
  http::client c = trusting();
  auto files = peers::some_files("/usr/share/doc", 100);
  std::size_t right = 0;
  for (const auto& [name, size] : files) {
    auto page = co_await c.get("https://127.0.0.1:" + std::to_string(port) + name);
    right += page.status() == 200 && page.body().size() == size;
  }
  CHECK(right == files.size());
  child.kill(SIGKILL);
  co_await child.wait();
}

TEST_SUITE_END();
