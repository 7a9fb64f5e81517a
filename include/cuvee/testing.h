// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/testing/run_case.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>
