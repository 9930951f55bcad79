#include "connector.hpp"

#include <algorithm>
#include <string>

#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/error.hpp"

namespace chimera::stream_socket {

namespace {

// Nothing tells when a listener has room again.
constexpr std::uint64_t queue_pause_ns = 5'000'000;

std::string milliseconds(std::uint64_t ns) { return std::to_string(ns / 1'000'000U) + " ms (connect_timeout_ms)"; }

} // namespace

connector::connector(const base_url& url, resolver& names, std::uint64_t timeout_ns)
    : url_(url), names_(names), timeout_ns_(timeout_ns) {
    if (url.literal) addresses_.push_back(*url.literal);
}

void connector::begin() noexcept {
    next_ = 0;
    queue_full_ = false;
    begun_ns_ = sdk::now_ns();
    deadline_ns_ = timeout_ns_ == 0 ? 0 : begun_ns_ + timeout_ns_;
}

bool connector::poll(connection& to, chm_waker* waker) {
    if (!resolved(waker)) return false;
    for (;;) {
        try {
            if (!to && !attempt(to)) return false;
            return to.poll_open(waker);
        } catch (const sdk::error& e) {
            next_address(e);
        }
    }
}

bool connector::resolved(chm_waker* waker) {
    if (!addresses_.empty()) return true;
    if (!question_) question_ = names_.ask(url_.host, url_.port);
    if (!question_->poll(waker)) return false;
    const std::shared_ptr<lookup> answered = std::move(question_);
    addresses_ = answered->take();
    return true;
}

bool connector::attempt(connection& to) {
    deadline_ns_ = 0;
    if (timeout_ns_ != 0) { // what is left is divided among the addresses that are left: none can use up all of it
        const std::uint64_t now = sdk::now_ns();
        const std::uint64_t end = begun_ns_ + timeout_ns_;
        deadline_ns_ = now + (end > now ? end - now : 0) / (addresses_.size() - next_);
    }
    queue_full_ = !to.open(addresses_[next_]);
    if (queue_full_) {
        const std::uint64_t again = sdk::now_ns() + queue_pause_ns;
        deadline_ns_ = deadline_ns_ == 0 ? again : std::min(deadline_ns_, again);
    }
    return !queue_full_;
}

void connector::expire(connection& to) {
    if (addresses_.empty()) {
        cancel();
        throw sdk::error(CHM_E_TIMEOUT,
                         "resolving the host name '" + url_.host + "': no answer within " + milliseconds(timeout_ns_));
    }
    if (queue_full_ && (timeout_ns_ == 0 || sdk::now_ns() < begun_ns_ + timeout_ns_)) return;
    to.close();
    next_address(sdk::error(CHM_E_TIMEOUT, "no connection within " + milliseconds(timeout_ns_)));
}

void connector::next_address(const sdk::error& why) {
    const std::size_t tried = next_ + 1;
    if (tried < addresses_.size()) {
        next_ = tried;
        return;
    }
    std::string text = "connecting to " + addresses_[next_].text() + ": " + why.what();
    if (tried > 1) text += " (the last of " + std::to_string(tried) + " addresses)";
    if (!url_.literal) addresses_.clear(); // asked again next time
    throw sdk::error(why.code(), text);
}

} // namespace chimera::stream_socket
