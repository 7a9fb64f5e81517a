// SPDX-License-Identifier: MIT
#pragma once
#include "shared_descriptor.h"

#include <termios.h>

namespace cuvee::inline v0::detail {

/// Terminals whose modes we have changed, and that get them back however the process ends.
namespace kept_modes {

constexpr int most = 16;

/// Changes the mode. Returns: the place to give to `release`; a negative errno, -ENOSPC if all places are taken.
int hold(detail::descriptor terminal, const termios& before, const termios& during) noexcept;
/// Gives the mode back, to the next one that holds the same terminal if there is one.
void release(int place) noexcept;

}  // namespace kept_modes

/// Sets the modes of a terminal unless another process group has it. Returns: a negative errno then.
int set_modes(int terminal, const termios& modes) noexcept;

}  // namespace cuvee::inline v0::detail
