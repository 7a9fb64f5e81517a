// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core.h>
#include <cuvee/io/buffered_reader.h>
#include <cuvee/io/endpoint.h>
#include <cuvee/io/memory_stream.h>
#include <cuvee/io/inherited.h>
#include <cuvee/io/pipe.h>
#include <cuvee/io/process.h>
#include <cuvee/io/resolve.h>
#include <cuvee/io/serve.h>
#include <cuvee/io/stream.h>
#include <cuvee/io/tcp.h>
#include <cuvee/io/unix.h>
