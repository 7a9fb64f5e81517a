// SPDX-License-Identifier: MIT
#pragma once
#include "blocks.h"

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace cuvee::inline v0::http::detail {

/// A name and a value, by reference into an arena.
struct field_view {
  std::string_view name, value;
};

/// The place of one field line in an arena's text.
struct raw_field {
  std::uint32_t name = 0, value = 0;
  std::uint16_t name_size = 0, value_size = 0;
};

/// The bytes of a head (or of a trailer section) and the places of its fields, in one block: the
/// text grows from the front, the table from the back. Everything is an offset, so the block may
/// be exchanged for a larger one while the head arrives; views are good from the moment the head
/// is whole until `clear` or `release`.
class head_arena {
 public:
  head_arena() noexcept = default;
  head_arena(const head_arena&) = delete;
  head_arena& operator=(const head_arena&) = delete;
  ~head_arena() { release(); }

  /// Takes the first block, before anything else is called. Throws std::bad_alloc.
  void prepare() {
    if (block_) return;
    block_ = take_block(small_block_bytes);
    capacity_ = table_ = small_block_bytes;
  }
  /// Throws std::bad_alloc. The caller bounds the sum.
  void append(std::string_view bytes) {
    if (bytes.size() > free_bytes()) [[unlikely]]
      grow(bytes.size());
    std::memcpy(block_ + size_, bytes.data(), bytes.size());
    size_ += static_cast<std::uint32_t>(bytes.size());
  }
  /// A new last field, for the caller to fill in. Throws std::bad_alloc.
  raw_field& add_field() {
    if (free_bytes() < sizeof(raw_field)) [[unlikely]]
      grow(sizeof(raw_field));
    return push_field({});
  }
  /// Makes room for one, so that `push_field` may be called. Throws std::bad_alloc.
  void reserve_field() {
    if (free_bytes() < sizeof(raw_field)) grow(sizeof(raw_field));
  }
  /// How far up the table must begin for one more field, if it may have `most` bytes and must not
  /// reach into the text. As one number, so that the callback per field has one comparison.
  std::uint32_t table_bound(std::uint32_t most) const noexcept {
    const std::uint32_t least = most < capacity_ - size_ ? capacity_ - most : size_;
    return least + static_cast<std::uint32_t>(sizeof(raw_field));
  }
  bool has_room_above(std::uint32_t bound) const noexcept { return table_ >= bound; }
  /// A new last field where there is room for it.
  raw_field& push_field(raw_field f) noexcept {
    table_ -= sizeof(raw_field);
    return *::new (static_cast<void*>(block_ + table_)) raw_field(f);
  }
  /// Forgets the text but keeps a small block, which the next head will most likely need.
  void clear() noexcept {
    if (capacity_ > small_block_bytes) [[unlikely]]
      release();
    size_ = 0;
    table_ = capacity_;
  }
  /// Gives the block back as well: an idle connection holds none.
  void release() noexcept {
    if (capacity_ == small_block_bytes) [[likely]]
      give_block(block_, small_block_bytes);
    else if (block_) give_block(block_, capacity_);
    block_ = nullptr;
    capacity_ = size_ = table_ = 0;
  }

  std::uint32_t size() const noexcept { return size_; }
  std::uint32_t field_count() const noexcept {
    return (capacity_ - table_) / static_cast<std::uint32_t>(sizeof(raw_field));
  }
  const char* data() const noexcept { return block_; }
  std::string_view text() const noexcept { return {block_, size_}; }
  std::string_view text(std::uint32_t at, std::uint32_t size) const noexcept {
    return {block_ + at, size};
  }
  raw_field& field(std::uint32_t i) noexcept { return *slot(i); }
  const raw_field& field(std::uint32_t i) const noexcept { return *slot(i); }
  raw_field& last_field() noexcept { return *place_of(table_); }
  /// For loops: the first field lies right below `fields_end`, the last at `fields_begin`.
  raw_field* fields_begin() noexcept { return place_of(table_); }
  raw_field* fields_end() noexcept { return place_of(capacity_); }
  field_view view(std::uint32_t i) const noexcept {
    const raw_field& f = field(i);
    return {text(f.name, f.name_size), text(f.value, f.value_size)};
  }
  /// The index of the first field of that name at or after `from`; `field_count()` if none.
  std::uint32_t find(std::string_view name, std::uint32_t from = 0) const noexcept;

 private:
  std::size_t free_bytes() const noexcept { return table_ - size_; }
  raw_field* place_of(std::uint32_t at) const noexcept {
    return reinterpret_cast<raw_field*>(block_ + at);
  }
  raw_field* slot(std::uint32_t i) const noexcept { return place_of(capacity_) - 1 - i; }
  void grow(std::size_t more);

  char* block_ = nullptr;
  std::uint32_t capacity_ = 0, size_ = 0;
  std::uint32_t table_ = 0;  // where the last field stands; `capacity_` while there is none
};

}  // namespace cuvee::inline v0::http::detail
