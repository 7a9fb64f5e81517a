// SPDX-License-Identifier: MIT
#include <cuvee/http/app.h>

#include "router.h"

namespace cuvee::inline v0::http {

app::app() : router_(std::make_unique<detail::router>()) {}
app::app(app&&) noexcept = default;
app& app::operator=(app&&) noexcept = default;
app::~app() = default;

route_settings app::add(const method* m, std::string_view pattern,
                        std::unique_ptr<detail::handler> h) {
  detail::handler& added = *h;
  router_->add(m, pattern, std::move(h));
  return route_settings(added);
}

route_settings app::set_fallback(std::unique_ptr<detail::handler> h) {
  router_->fallback = std::move(h);
  return route_settings(*router_->fallback);
}

}  // namespace cuvee::inline v0::http
