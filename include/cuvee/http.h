// SPDX-License-Identifier: MIT
#pragma once
#include <cuvee/http/app.h>
#include <cuvee/http/client.h>
#include <cuvee/http/error.h>
#include <cuvee/http/headers.h>
#include <cuvee/http/limits.h>
#include <cuvee/http/method.h>
#include <cuvee/http/server.h>
#include <cuvee/http/status.h>
#include <cuvee/http/url.h>
#include <cuvee/io.h>
