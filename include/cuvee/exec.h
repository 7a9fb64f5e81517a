// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core.h>
#include <cuvee/exec/call_on.h>
#include <cuvee/exec/from_thread.h>
#include <cuvee/exec/process_pool.h>
#include <cuvee/exec/thread_pool.h>
