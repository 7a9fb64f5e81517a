// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core.h>
#include <cuvee/exec.h>
#include <cuvee/http.h>
#include <cuvee/io.h>
