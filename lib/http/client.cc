// SPDX-License-Identifier: MIT
#include <cuvee/http/client.h>

#include "client_upload.h"

namespace cuvee::inline v0::http {

namespace {

using detail::outgoing;

task<client_response> fetch_whole(detail::client_state& client, outgoing what) {
  detail::exchange x(client, what);
  co_await x.run();
  detail::client_connection& c = x.connection();
  c.begin_body(what.max_body.value_or(client.options().limits.body_bytes));
  std::unique_ptr<detail::response_record, detail::response_deleter> record(x.make_record());
  co_await detail::collect_awaiter(c, &record->body);
  if (!c.has_body()) x.fail();
  co_return client_response(std::move(record));
}

outgoing view(const client_request& r) noexcept {
  outgoing o{r.method(), &r.url()};
  o.fields = &r.headers();
  o.has_body = r.body().has_value();
  if (o.has_body) o.body = *r.body();
  o.max_body = r.max_body();
  return o;
}

const char default_client_key = 0;

struct own_client final : v0::detail::loop_local {
  own_client() : loop_local(&default_client_key) {}
  client instance;
};

}  // namespace

void detail::client_deleter::operator()(client_state* s) const noexcept { s->close(); }

client::client(const client_options& options) : state_(new detail::client_state(options)) {}

task<client_response> client::get(const url& target) {
  return fetch_whole(*state_, {method::get, &target});
}

task<client_response> client::get(std::string target) {
  const url parsed(target);
  co_return co_await get(parsed);
}

task<client_response> client::fetch(client_request r) {
  co_return co_await fetch_whole(*state_, view(r));
}

task<response_stream> client::open(client_request r) {
  detail::exchange x(*state_, view(r));
  co_await x.run();
  // A body still on its way out is larger than what strings keep in place: moving leaves it there.
  std::optional<std::string> sent;
  auto most_bytes = r.max_body();
  if (x.connection().uploading()) sent = std::move(r).take_body();
  co_return detail::open_response(x, most_bytes, std::move(sent));
}

task<request_writer> client::upload(client_request r, std::optional<std::uint64_t> length) {
  request_writer::upload_ptr u(new detail::client_upload(*state_, std::move(r), length));
  if (u->request.body())
    throw u->x.refused(std::make_error_code(std::errc::invalid_argument),
                       "the request has a body already");
  co_await u->x.begin();
  u->x.connection().begin_sending(u->sender);
  co_return request_writer(std::move(u));
}

std::size_t client::idle_connections() const noexcept { return state_->idle_count(); }
std::size_t client::connections() const noexcept { return state_->leases(); }

client& default_client() {
  v0::detail::loop_state& l = v0::detail::loop_state::current();
  own_client* mine = nullptr;
  l.locals.for_each([&](v0::detail::loop_local& o) {
    if (o.key == &default_client_key) mine = static_cast<own_client*>(&o);
  });
  if (!mine) l.locals.push_back(*(mine = new own_client));
  return mine->instance;
}

task<client_response> get(std::string target) {
  co_return co_await default_client().get(std::move(target));
}
task<client_response> fetch(client_request r) {
  co_return co_await default_client().fetch(std::move(r));
}
task<response_stream> open(client_request r) {
  co_return co_await default_client().open(std::move(r));
}

task<request_writer> upload(client_request r, std::optional<std::uint64_t> length) {
  co_return co_await default_client().upload(std::move(r), length);
}

}  // namespace cuvee::inline v0::http
