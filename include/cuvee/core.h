// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/base.h>
#include <cuvee/core/any_of.h>
#include <cuvee/core/as_result.h>
#include <cuvee/core/event.h>
#include <cuvee/core/failures.h>
#include <cuvee/core/gather.h>
#include <cuvee/core/group.h>
#include <cuvee/core/loop.h>
#include <cuvee/core/offload.h>
#include <cuvee/core/run.h>
#include <cuvee/core/shield.h>
#include <cuvee/core/sleep.h>
#include <cuvee/core/task.h>
#include <cuvee/core/thread_limiter.h>
#include <cuvee/core/time.h>
#include <cuvee/core/timeout.h>
