// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/testing/assert_checkpoints.h>
#include <cuvee/testing/check_stream.h>
#include <cuvee/testing/run_case.h>
#include <cuvee/testing/sequencer.h>
#include <cuvee/testing/shuffle.h>
#include <cuvee/testing/torture.h>
#include <cuvee/testing/virtual_clock.h>
#include <cuvee/testing/wait_all_tasks_blocked.h>
