// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/core.h>
#include <cuvee/io/buffered_reader.h>
#include <cuvee/io/endpoint.h>
#include <cuvee/io/file.h>
#include <cuvee/io/files.h>
#include <cuvee/io/memory_stream.h>
#include <cuvee/io/process.h>
#include <cuvee/io/resolve.h>
#include <cuvee/io/stream.h>
#include <cuvee/io/tcp.h>
#include <cuvee/io/temp_file.h>
#include <cuvee/io/tls.h>
#include <cuvee/io/tls_context.h>
#include <cuvee/io/tls_info.h>
#include <cuvee/io/tls_listener.h>
