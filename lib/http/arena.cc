// SPDX-License-Identifier: MIT
#include "arena.h"

#include "chars.h"

namespace cuvee::inline v0::http::detail {

std::uint32_t head_arena::find(std::string_view name, std::uint32_t from) const noexcept {
  const std::uint32_t count = field_count();
  for (std::uint32_t i = from; i < count; ++i) {
    const raw_field& f = field(i);
    if (f.name_size == name.size() && iequal(text(f.name, f.name_size), name)) return i;
  }
  return count;
}

void head_arena::grow(std::size_t more) {
  if (!block_ && more <= small_block_bytes) return prepare();
  const std::size_t table = capacity_ - table_;
  std::size_t wanted = large_block_bytes;
  while (wanted < size_ + table + more) wanted *= 2;
  char* larger = take_block(wanted);
  if (block_) {
    std::memcpy(larger, block_, size_);
    std::memcpy(larger + wanted - table, block_ + capacity_ - table, table);
    give_block(block_, capacity_);
  }
  block_ = larger;
  capacity_ = static_cast<std::uint32_t>(wanted);
  table_ = static_cast<std::uint32_t>(wanted - table);
}

}  // namespace cuvee::inline v0::http::detail
