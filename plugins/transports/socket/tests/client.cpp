#include "client.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "chimera/sdk/plugin.hpp"
#include "counted_calls.hpp"
#include "transport.hpp"

namespace chimera::socket::test {

std::string outcome::body() const {
    std::string all;
    for (const std::string& piece : pieces) all += piece;
    return all;
}

std::string outcome::header(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (key == name) return value;
    return "(none)";
}

client::client(option_list options) {
    conformance::start_first_thread();
    held_ = conformance::census::take();
    reactor_ = std::make_unique<sdk::epoll_reactor>();
    waker_ = std::make_unique<mark_waker>(*reactor_);
    other_waker_ = std::make_unique<mark_waker>(*reactor_);
    std::vector<chm_kv> given;
    for (const auto& [key, value] : options) given.push_back({sdk::str(key), sdk::str(value)});
    const chm_config config{given.data(), given.size()};
    const chm_rc rc = heard(sdk::transport_factory<socket::transport>.create(nullptr, &config, &transport_, listen()));
    REQUIRE_MESSAGE(rc == CHM_OK, error_);
}

client::~client() {
    close_session();
    transport_->vt->destroy(transport_);
    reactor_->turn(0);                          // frees what was deregistered, and with it any waker
    CHECK(calls().failed_deregistrations == 0); // of a descriptor that was closed too early
    CHECK(waker_->references() == 0);
    CHECK(other_waker_->references() == 0);
    reactor_.reset();
    CHECK(held_.left_over_after(std::chrono::seconds(5)) == "");
}

chm_error* client::listen() noexcept {
    text_[0] = '\0';
    listener_ = {text_, sizeof text_};
    return &listener_;
}

chm_rc client::heard(chm_rc rc) {
    error_ = rc < 0 ? text_ : "";
    if (rc < 0) CHECK_FALSE(error_.empty());
    return rc;
}

chm_rc client::open(std::string_view url, bool with_reactor) {
    close_session();
    const chm_session_args args{sizeof args, 0, nullptr, with_reactor ? reactor_.get() : nullptr, sdk::str(url)};
    return heard(transport_->vt->open(transport_, &args, &session_, listen()));
}

void client::close_session() {
    if (session_) session_->vt->close(std::exchange(session_, nullptr));
}

chm_exchange* client::start(const request& what) {
    std::vector<chm_kv> headers;
    for (const auto& [key, value] : what.headers) headers.push_back({sdk::str(key), sdk::str(value)});
    const chm_request raw{sizeof raw,
                          static_cast<std::uint32_t>(headers.size()),
                          sdk::str(what.method),
                          sdk::str(what.path),
                          headers.data(),
                          sdk::str(what.body)};
    chm_exchange* x = nullptr;
    return heard(session_->vt->start(session_, &raw, &x, listen())) < 0 ? nullptr : x;
}

chm_rc client::poll_head(chm_exchange* x, chm_head& head) {
    head.size = sizeof head;
    return heard(x->vt->poll_head(x, waker_->get(), &head, listen()));
}

chm_rc client::poll_chunk(chm_exchange* x, chm_str& view) {
    return heard(x->vt->poll_chunk(x, waker_->get(), &view, listen()));
}

void client::wait() {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!waker_->take()) {
        REQUIRE_MESSAGE(std::chrono::steady_clock::now() < limit, "no wake for 20 s");
        reactor_->turn(1000);
    }
}

void client::turn_for(int ms) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
    while (std::chrono::steady_clock::now() < end) reactor_->turn(1);
}

chm_rc client::wait_head(chm_exchange* x, chm_head& head) {
    for (;;) {
        if (const chm_rc rc = poll_head(x, head); rc != CHM_PENDING) return rc;
        wait();
    }
}

chm_rc client::wait_chunk(chm_exchange* x, chm_str& view) {
    for (;;) {
        if (const chm_rc rc = poll_chunk(x, view); rc != CHM_PENDING) return rc;
        wait();
    }
}

outcome client::fetch(const request& what) {
    outcome result;
    chm_exchange* const x = start(what);
    if (!x) return result.rc = CHM_E_FAIL, result.error = error_, result;
    chm_head head{};
    result.rc = wait_head(x, head);
    if (result.rc == CHM_READY) {
        result.status = head.status;
        for (std::size_t i = 0; i < head.n_headers; ++i)
            result.headers.emplace_back(sdk::view(head.headers[i].key), sdk::view(head.headers[i].value));
        chm_str view{};
        while ((result.rc = wait_chunk(x, view)) == CHM_READY) {
            CHECK(view.len > 0);
            result.pieces.emplace_back(sdk::view(view));
        }
    }
    result.error = error_;
    result.timing.size = sizeof result.timing;
    static_cast<const chm_timing_ext*>(transport_->vt->get_extension(transport_, CHM_EXT_TIMING))
        ->read(x, &result.timing);
    x->vt->close(x);
    return result;
}

outcome client::fetch_from(std::string_view url, const request& what) {
    REQUIRE_MESSAGE(open(url) == CHM_OK, error_);
    return fetch(what);
}

} // namespace chimera::socket::test
