// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base/bytes.h>
#include <cuvee/base/config.h>
#include <cuvee/base/error.h>
#include <cuvee/base/list.h>
#include <cuvee/base/result.h>
