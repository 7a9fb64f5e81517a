// SPDX-License-Identifier: MIT
#pragma once

#define CUVEE_VERSION_MAJOR 0
#define CUVEE_VERSION_MINOR 1
#define CUVEE_VERSION_PATCH 0

#if defined(__GNUC__)
#define CUVEE_API __attribute__((visibility("default")))
#else
#define CUVEE_API
#endif

#if defined(__SANITIZE_ADDRESS__)
#define CUVEE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CUVEE_ASAN 1
#endif
#endif
#ifndef CUVEE_ASAN
#define CUVEE_ASAN 0
#endif

// g++ makes no tail call at -O0, -O1, -Og or under ASan, so symmetric transfer would grow the stack
// there; the trampoline in strand::run serves instead. No macro tells -O1 from -O2: builds that
// use it define CUVEE_TRAMPOLINE=1 themselves. Objects of either kind link together.
#ifndef CUVEE_TRAMPOLINE
#if defined(__GNUC__) && !defined(__clang__) && (CUVEE_ASAN || !defined(__OPTIMIZE__))
#define CUVEE_TRAMPOLINE 1
#else
#define CUVEE_TRAMPOLINE 0
#endif
#endif

// A shared library reaches other thread-local variables through a call; these are read on every
// await (measured: 8.1 ns a child call without, 5.3 with).
#define CUVEE_HOT_TLS __attribute__((tls_model("initial-exec")))
