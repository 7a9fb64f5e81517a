// SPDX-License-Identifier: MIT
#include "describe.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>

namespace httpbin {

namespace http = cuvee::http;

namespace {

std::string title_case(std::string_view name) {
  std::string text(name);
  bool first = true;
  for (char& c : text) {
    auto byte = static_cast<unsigned char>(c);
    c = static_cast<char>(first ? std::toupper(byte) : std::tolower(byte));
    first = c == '-';
  }
  return text;
}

// JSON holds text only: what is no UTF-8 becomes a data URL.
std::string as_text(const std::string& bytes) {
  try {
    (void)json(bytes).dump();
    return bytes;
  } catch (const json::type_error&) {
    return "data:application/octet-stream;base64," + base64_encode(bytes);
  }
}

bool is_form(const http::request& request) {
  std::string_view type = request.header("Content-Type").value_or("");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return title_case(type) == title_case("application/x-www-form-urlencoded");
}

}  // namespace

json fold(const http::query_params& pairs) {
  json folded = json::object();
  for (const auto& [name, value] : pairs) {
    json& place = folded[name];
    if (place.is_null()) place = value;
    else if (place.is_array()) place.push_back(value);
    else place = json::array({place, value});
  }
  return folded;
}

json describe_headers(const http::request& request) {
  json fields = json::object();
  for (std::size_t i = 0; i < request.header_count(); i++) {
    auto [name, value] = request.header(i);
    json& place = fields[title_case(name)];
    if (place.is_null()) place = std::string(value);
    else place = place.get_ref<std::string&>() + "," + std::string(value);
  }
  return fields;
}

std::string url_of(const http::request& request) {
  std::string_view target = request.target();
  if (!target.starts_with('/')) return std::string(target);  // the client sent all of it
  return (request.is_https() ? "https://" : "http://") + std::string(request.authority()) +
         std::string(target);
}

std::string origin_of(const http::request& request) {
  if (auto forwarded = request.header("X-Forwarded-For")) return std::string(*forwarded);
  return request.peer().address();
}

json describe(const http::request& request) {
  return {{"args", fold(request.query())},
          {"headers", describe_headers(request)},
          {"origin", origin_of(request)},
          {"url", url_of(request)}};
}

cuvee::task<json> describe_with_body(http::request& request) {
  json all = describe(request);
  std::string body = co_await request.body().text();
  all["files"] = json::object();
  all["form"] = is_form(request) ? fold(http::query_params(body)) : json::object();
  if (is_form(request)) body.clear();
  json parsed = json::parse(body, nullptr, false);
  all["json"] = parsed.is_discarded() ? json() : std::move(parsed);
  all["data"] = as_text(body);
  co_return all;
}

http::response as_response(const json& value) {
  http::response r(value.dump(-1, ' ', true, json::error_handler_t::replace) + "\n");
  r.content_type("application/json");
  return r;
}

std::string base64_encode(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock adds a NUL
  int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                          reinterpret_cast<const unsigned char*>(bytes.data()),
                          static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(n));
  return text;
}

std::string base64_decode(std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  std::string bytes(text.size() / 4 * 3, '\0');
  int n = text.size() % 4 != 0
              ? -1
              : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                reinterpret_cast<const unsigned char*>(text.data()),
                                static_cast<int>(text.size()));
  if (n < 0) throw http::http_error(400, "not Base64");
  // What stands for padding is decoded to zero bytes.
  auto padding = static_cast<std::size_t>(text.ends_with("==") ? 2 : text.ends_with('='));
  bytes.resize(static_cast<std::size_t>(n) - padding);
  return bytes;
}

}  // namespace httpbin
