// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core.h>
