// SPDX-License-Identifier: MIT
// A server to try HTTP clients on: shows the request as JSON, answers with any status, delays, redirects,
// streams. The routes and their JSON are those of httpbin.org, as far as cuvee goes today.
//   ./httpbin --port 8080 &  curl 'http://127.0.0.1:8080/get?a=1'
#include "http_server.h"
#include "httpbin/describe.h"
#include "httpbin/pages.h"

#include <charconv>
#include <cmath>
#include <random>

namespace http = cuvee::http;
using httpbin::json;

constexpr double most_seconds = 10;
constexpr std::uint64_t most_bytes = 100 * 1024;
constexpr std::uint64_t most_lines = 100;
constexpr std::uint64_t usual_chunk_bytes = 10 * 1024;
constexpr char html_type[] = "text/html; charset=utf-8";

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number n{};
  auto [end, e] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (e != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

// A count in the path; as in the original, anything else is another page, which is not there.
std::uint64_t count_in(const http::request& request) {
  auto n = parse_number<std::uint64_t>(request.param("n"));
  if (!n) throw http::http_error(404);
  return *n;
}

http::response page(const char* type, const char* text) {
  return http::response(text).content_type(type);
}

// ---- the request as JSON

http::response show_get(http::request& request) {
  return httpbin::as_response(httpbin::describe(request));
}

cuvee::task<http::response> show_body(http::request& request) {
  json all = co_await httpbin::describe_with_body(request);
  co_return httpbin::as_response(all);
}

cuvee::task<http::response> show_anything(http::request& request) {
  json all = co_await httpbin::describe_with_body(request);
  all["method"] = std::string(http::to_string(request.method()));
  co_return httpbin::as_response(all);
}

cuvee::task<http::response> show_late(http::request& request) {
  auto seconds = parse_number<double>(request.param("s"));
  if (!seconds || !std::isfinite(*seconds) || *seconds < 0)
    throw http::http_error(400, "the delay is a number of seconds");
  json all = co_await httpbin::describe_with_body(request);
  all.erase("json");
  std::chrono::duration<double> wait(std::min(*seconds, most_seconds));
  co_await cuvee::sleep(std::chrono::duration_cast<cuvee::duration>(wait));
  co_return httpbin::as_response(all);
}

http::response show_headers(http::request& request) {
  return httpbin::as_response({{"headers", httpbin::describe_headers(request)}});
}
http::response show_ip(http::request& request) {
  return httpbin::as_response({{"origin", httpbin::origin_of(request)}});
}
http::response show_user_agent(http::request& request) {
  auto agent = request.header("User-Agent");
  return httpbin::as_response({{"user-agent", agent ? json(std::string(*agent)) : json()}});
}

// ---- statuses and redirects

std::mt19937_64& random_source() {
  static thread_local std::mt19937_64 source(std::random_device{}());
  return source;
}

// One of `200,404:3`: codes with weights, 1 by default.
int choose_status(std::string_view codes) {
  std::vector<int> statuses;
  std::vector<double> weights;
  for (bool more = true; more;) {
    std::string_view one = codes.substr(0, codes.find(','));
    more = one.size() < codes.size();
    codes.remove_prefix(one.size() + more);
    std::size_t colon = std::min(one.find(':'), one.size());
    auto status = parse_number<int>(one.substr(0, colon));
    std::optional<double> weight = 1;
    if (colon < one.size()) weight = parse_number<double>(one.substr(colon + 1));
    // 1xx are no answers: a client would go on waiting for one.
    if (!status || *status < 200 || *status > 999 || !weight || !(*weight >= 0 && *weight < 1e9))
      throw http::http_error(400, "a status is a number from 200 to 999");
    statuses.push_back(*status);
    weights.push_back(*weight);
  }
  std::discrete_distribution<std::size_t> pick(weights.begin(), weights.end());
  return statuses[pick(random_source())];
}

http::response answer_status(http::request& request) {
  int status = choose_status(request.param("code"));
  http::response r(status);
  r.content_type(html_type);
  switch (status) {
    case 301:
    case 302:
    case 303:
    case 305:
    case 307: return r.header("Location", "/redirect/1");
    case 401: return r.header("WWW-Authenticate", "Basic realm=\"httpbin\"");
    case 407: return r.header("Proxy-Authenticate", "Basic realm=\"httpbin\"");
    case 402: return r.body("No money, no page.\n");
    case 406: return r.content_type("application/json").body("{\"message\": \"not acceptable\"}\n");
    case 418: return r.body("I am short and stout.\n");
    default: return r;
  }
}

http::response redirect_to(std::string place) {
  return http::response(302).content_type(html_type).header("Location", place);
}

// `prefix` names the pages of the chain, each of which counts one down.
http::response redirect(const http::request& request, std::string_view prefix, bool absolute) {
  std::uint64_t n = count_in(request);
  if (n == 0) throw http::http_error(404, "there are no 0 redirects");
  std::string place = n == 1 ? "/get" : std::string(prefix) + std::to_string(n - 1);
  if (absolute)
    place.insert(0,
                 (request.is_https() ? "https://" : "http://") + std::string(request.authority()));
  return redirect_to(std::move(place));
}

http::response redirect_as_asked(http::request& request) {
  bool absolute = request.query().get("absolute") == "true";
  return redirect(request, absolute ? "/absolute-redirect/" : "/relative-redirect/", absolute);
}
http::response redirect_relative(http::request& request) {
  return redirect(request, "/relative-redirect/", false);
}
http::response redirect_absolute(http::request& request) {
  return redirect(request, "/absolute-redirect/", true);
}

// ---- bytes and streams

std::optional<std::uint64_t> number_in_query(const http::request& request, std::string_view name) {
  http::query_params query = request.query();
  auto text = query.get(name);
  if (!text) return std::nullopt;
  auto n = parse_number<std::uint64_t>(*text);
  if (!n) throw http::http_error(400, std::string(name) + " is a number");
  return n;
}

std::string random_bytes(const http::request& request) {
  std::string bytes(std::min(count_in(request), most_bytes), '\0');
  std::mt19937_64 source(number_in_query(request, "seed").value_or(random_source()()));
  for (char& c : bytes) c = static_cast<char>(source());
  return bytes;
}

http::response send_bytes(http::request& request) {
  return http::response(random_bytes(request)).content_type("application/octet-stream");
}

cuvee::task<> stream_bytes(http::request& request, http::response_writer& out) {
  std::string bytes = random_bytes(request);
  std::uint64_t size = number_in_query(request, "chunk_size").value_or(usual_chunk_bytes);
  size = std::max<std::uint64_t>(size, 1);
  out.header("Content-Type", "application/octet-stream");
  for (std::string_view left = bytes; !left.empty();) {
    std::string_view piece = left.substr(0, size);
    left.remove_prefix(piece.size());
    co_await out.write(piece);
  }
}

cuvee::task<> stream_lines(http::request& request, http::response_writer& out) {
  std::uint64_t count = std::min(count_in(request), most_lines);
  json line = httpbin::describe(request);
  out.header("Content-Type", "application/json");
  for (std::uint64_t id = 0; id < count; id++) {
    line["id"] = id;
    std::string text = httpbin::as_response(line).body();
    co_await out.write(text);
  }
}

// ---- others

// The JSON lists the response's own fields, its Content-Length too; that depends on its digits.
http::response send_headers(http::request& request) {
  http::response r;
  r.content_type("application/json");
  http::query_params query = request.query();
  json shown = httpbin::fold(query);
  try {
    for (const auto& [name, value] : query)
      if (name == "Content-Type") r.content_type(value);
      else r.headers().add(name, value);
  } catch (const cuvee::error& e) {
    throw http::http_error(400, e.what());
  }
  if (!shown.contains("Content-Type")) shown["Content-Type"] = "application/json";
  std::string text;
  for (std::size_t length = 0; text.empty() || text.size() != length;) {
    length = text.size();
    shown["Content-Length"] = std::to_string(length);
    text = httpbin::as_response(shown).body();
  }
  return r.body(std::move(text));
}

http::response decode(http::request& request) {
  return http::response(httpbin::base64_decode(request.param("value"))).content_type(html_type);
}

void add_routes(http::app& app) {
  app.get("/", [] { return httpbin::index_page; });
  app.get("/get", &show_get);
  app.post("/post", &show_body);
  app.put("/put", &show_body);
  app.patch("/patch", &show_body);
  app.del("/delete", &show_body);
  app.any("/anything", &show_anything);
  app.any("/anything/{rest...}", &show_anything);
  app.get("/headers", &show_headers);
  app.get("/ip", &show_ip);
  app.get("/user-agent", &show_user_agent);
  app.any("/status/{code}", &answer_status);
  app.any("/delay/{s}", &show_late);
  app.get("/bytes/{n}", &send_bytes);
  app.get("/stream-bytes/{n}", &stream_bytes);
  app.get("/stream/{n}", &stream_lines);
  app.get("/redirect/{n}", &redirect_as_asked);
  app.get("/relative-redirect/{n}", &redirect_relative);
  app.get("/absolute-redirect/{n}", &redirect_absolute);
  app.get("/response-headers", &send_headers);
  app.post("/response-headers", &send_headers);
  app.get("/base64/{value}", &decode);
  app.get("/html", [] { return page(html_type, httpbin::html_page); });
  app.get("/robots.txt", [] { return httpbin::robots_page; });
  app.get("/json", [] { return page("application/json", httpbin::json_page); });
  app.get("/xml", [] { return page("application/xml", httpbin::xml_page); });
}

int main(int argc, char** argv) {
  http::app app;
  add_routes(app);
  samples::http_server server("httpbin", "A server to try HTTP clients on, until Ctrl-C.");
  return server.run(app, argc, argv);
}
