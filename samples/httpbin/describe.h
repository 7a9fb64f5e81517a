// SPDX-License-Identifier: MIT
// A request as JSON, in the shape that clients of httpbin know.
#pragma once
#include <cuvee/http.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace httpbin {

using nlohmann::json;

/// Every name once; a name that came several times has the array of its values.
json fold(const cuvee::http::query_params& pairs);
/// Names as `Content-Type`, repeated fields joined with commas.
json describe_headers(const cuvee::http::request& request);
/// The whole URL that the client asked for.
std::string url_of(const cuvee::http::request& request);
/// The address of the client, or what a proxy says it is.
std::string origin_of(const cuvee::http::request& request);

/// args, headers, origin and url: what GET shows.
json describe(const cuvee::http::request& request);
/// The same with data, files, form and json: reads the body.
cuvee::task<json> describe_with_body(cuvee::http::request& request);

/// Pure ASCII, with a line end.
cuvee::http::response as_response(const json& value);

/// Base64 by OpenSSL.
std::string base64_encode(std::string_view bytes);
/// Also of the alphabet for URLs. Errors: http_error 400 if `text` is no Base64.
std::string base64_decode(std::string text);

}  // namespace httpbin
