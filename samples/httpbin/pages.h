// SPDX-License-Identifier: MIT
// The fixed pages.
#pragma once

namespace httpbin {

inline constexpr char index_page[] = R"(A server to try HTTP clients on. It answers at

  /get /post /put /patch /delete /anything   the request as JSON
  /headers /ip /user-agent                   parts of it
  /status/{code}                             that status; 200,404:3 picks one by weight
  /delay/{seconds}                           after a while, at most 10 s
  /bytes/{n} /stream-bytes/{n}               random bytes, whole or chunked (?seed= &chunk_size=)
  /stream/{n}                                so many lines of JSON
  /redirect/{n} /absolute-redirect/{n}       so many redirects, then /get
  /response-headers?name=value               these header fields
  /base64/{value}                            the value decoded
  /html /json /xml /robots.txt               sample documents
)";

inline constexpr char html_page[] = R"(<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>The lighthouse keeper's log</title></head>
<body>
<h1>The lighthouse keeper's log</h1>
<p>Fog since morning. The lamp was lit at four and the horn sounded every minute until the wind
turned. Two trawlers passed close in, slowly, each answering with its bell.</p>
<p>At midnight the sky cleared. From the gallery one counts eleven lights along the coast; tonight
all of them burned.</p>
</body>
</html>
)";

inline constexpr char json_page[] = R"({
  "recipe": {
    "name": "Flatbread",
    "serves": 4,
    "vegan": true,
    "ingredients": [
      {"what": "flour", "grams": 300},
      {"what": "water", "grams": 180},
      {"what": "salt", "grams": 6}
    ],
    "notes": null
  }
}
)";

inline constexpr char xml_page[] = R"(<?xml version="1.0" encoding="UTF-8"?>
<!-- Departures of one morning -->
<departures station="Harbour">
  <train line="S2" minute="04"><to>Airport</to></train>
  <train line="R7" minute="19"><to>Old Mill</to><note>request stop</note></train>
  <train line="S2" minute="34"><to>Airport</to></train>
</departures>
)";

inline constexpr char robots_page[] = "User-agent: *\nDisallow: /status/\n";

}  // namespace httpbin
