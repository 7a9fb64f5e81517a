// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace cuvee::inline v0 {

namespace detail {
template <class T>
concept byte_like = std::is_same_v<std::remove_cv_t<T>, char> ||
                    std::is_same_v<std::remove_cv_t<T>, unsigned char> ||
                    std::is_same_v<std::remove_cv_t<T>, std::byte>;
template <class R>
concept byte_range = requires(R& r) {
  { *r.data() };
  { r.size() } -> std::convertible_to<std::size_t>;
} && byte_like<std::remove_reference_t<decltype(*std::declval<R&>().data())>>;
}  // namespace detail

/// Bytes to be sent: any contiguous range of `char`, `unsigned char` or `std::byte`, by reference.
class const_bytes {
 public:
  constexpr const_bytes() noexcept = default;
  constexpr const_bytes(const char* text) noexcept : const_bytes(std::string_view(text)) {}
  constexpr const_bytes(const void* data, std::size_t size) noexcept
      : data_(static_cast<const char*>(data)), size_(size) {}
  template <class R>
    requires detail::byte_range<const R>
  constexpr const_bytes(const R& range) noexcept
      : data_(reinterpret_cast<const char*>(range.data())), size_(range.size()) {}
  template <detail::byte_like B, std::size_t N>
    requires(!std::is_same_v<std::remove_cv_t<B>, char>)
  constexpr const_bytes(B (&array)[N]) noexcept
      : data_(reinterpret_cast<const char*>(array)), size_(N) {}

  constexpr const char* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr std::string_view text() const noexcept { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Room to read into: any writable contiguous range or array of bytes, by reference.
class mutable_bytes {
 public:
  constexpr mutable_bytes() noexcept = default;
  constexpr mutable_bytes(void* data, std::size_t size) noexcept
      : data_(static_cast<char*>(data)), size_(size) {}
  template <class R>
    requires(detail::byte_range<R> &&
             !std::is_const_v<std::remove_reference_t<decltype(*std::declval<R&>().data())>>)
  constexpr mutable_bytes(R&& range) noexcept
      : data_(reinterpret_cast<char*>(range.data())), size_(range.size()) {}
  template <detail::byte_like B, std::size_t N>
    requires(!std::is_const_v<B>)
  constexpr mutable_bytes(B (&array)[N]) noexcept
      : data_(reinterpret_cast<char*>(array)), size_(N) {}

  constexpr char* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace cuvee::inline v0
