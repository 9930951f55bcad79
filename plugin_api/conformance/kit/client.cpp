#include "client.hpp"

#include <strings.h>

#include <algorithm>

namespace chimera::conformance {

std::string reply::header(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (key.size() == name.size() && ::strncasecmp(key.data(), name.data(), name.size()) == 0) return value;
    return "";
}

client::client(environment& env, const option_map& extra)
    : executor_(env.make_executor_below()), reactor_(executor_->reactor()) {
    expect(reactor_ != nullptr, "the executor under a transport must have a reactor");
    if (env.settings().executor.empty()) reactor_ = &watch_.emplace(reactor_, env.probes());
    transport_ = env.make_transport(extra);
}

client::~client() {
    transport_->vt->destroy(transport_);
    executor_->destroy();
    if (watch_) watch_->expect_none_left();
}

bool client::has_option(const environment& env, std::string_view name) {
    const auto& schema = env.plugin().transport_schema();
    return std::any_of(schema.begin(), schema.end(), [&](const chm_option& o) { return name == o.name; });
}

sdk::session client::open(const std::string& url) const {
    chm_session_args args{};
    args.size = sizeof args;
    args.executor = executor_->raw();
    args.reactor = reactor_;
    args.base_url = sdk::str(url);
    return sdk::session(transport_, args);
}

sdk::exchange client::start(sdk::session& s, const wanted& w) {
    std::vector<chm_kv> headers;
    for (const auto& [key, value] : w.headers) headers.push_back({sdk::str(key), sdk::str(value)});
    chm_request r{};
    r.size = sizeof r;
    r.method = sdk::str(w.method);
    r.path = sdk::str(w.path);
    r.headers = headers.data();
    r.n_headers = static_cast<std::uint32_t>(headers.size());
    r.body = sdk::str(w.body);
    return s.start(r);
}

sdk::task<reply> client::finish(sdk::exchange started) {
    sdk::exchange x = std::move(started); // closed when this ends, not when its frame goes
    reply r;
    const chm_head head = co_await x.head();
    r.status = head.status;
    for (std::size_t i = 0; i < head.n_headers; ++i)
        r.headers.emplace_back(sdk::view(head.headers[i].key), sdk::view(head.headers[i].value));
    for (;;) {
        const auto piece = co_await x.chunk();
        if (!piece) co_return r;
        expect(!piece->empty(), "a piece of a body must have at least one byte");
        r.body += *piece;
        ++r.pieces;
    }
}

sdk::task<reply> client::fetch(sdk::session& s, wanted w) {
    auto whole = finish(start(s, w));
    co_return co_await whole;
}

sdk::task<void> client::fetch_failing(sdk::session& s, wanted w, chm_rc code, std::string part) {
    std::string ended;
    try {
        auto whole = fetch(s, std::move(w));
        const reply r = co_await whole;
        ended = "status " + std::to_string(r.status) + " and " + std::to_string(r.body.size()) + " bytes";
    } catch (const sdk::error& e) {
        expect_code(e.code(), code, "the code of the failure (" + std::string(e.what()) + ")");
        expect(std::string_view(e.what()).find(part) != std::string_view::npos,
               "the message must name " + part + ", and is: " + e.what());
    }
    expect(ended.empty(), "the exchange must fail with " + code_name(code) + ", and ended with " + ended);
}

void client::run(sdk::task<void> body) const {
    executor_->spawn(std::move(body));
    executor_->run_until_idle();
}

} // namespace chimera::conformance
