// SPDX-License-Identifier: MIT
#include <cuvee/http/app.h>

#include "router.h"

namespace cuvee::inline v0::http {

app::app() : router_(std::make_unique<detail::router>()) {}
app::app(app&&) noexcept = default;
app& app::operator=(app&&) noexcept = default;
app::~app() = default;

void app::add(const method* m, std::string_view pattern, std::unique_ptr<detail::handler> h) {
  router_->add(m, pattern, std::move(h));
}

void app::set_fallback(std::unique_ptr<detail::handler> h) { router_->fallback = std::move(h); }

}  // namespace cuvee::inline v0::http
