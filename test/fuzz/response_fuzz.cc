// SPDX-License-Identifier: MIT
// A stream of responses, with the default limits and with tight ones: however it is cut, the heads,
// bodies, trailers and refusals are the same. The first two bytes choose the cuts.
#include "message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cuvee::fuzz;
  if (size < 2) return 0;
  const std::uint32_t seed = data[0] * 256u + data[1];
  const std::string_view wire(reinterpret_cast<const char*>(data) + 2, size - 2);
  compare_cuts<response_parser>(wire, seed, tight_limits());
  compare_cuts<response_parser>(wire, seed, response_limits());
  return 0;
}
