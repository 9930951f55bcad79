#include "connector.hpp"

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <system_error>

#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/error.hpp"

namespace chimera::stream_socket {

namespace {

// Nothing tells when a listener has room again.
constexpr std::uint64_t queue_pause_ns = 5'000'000;

std::string milliseconds(std::uint64_t ns) { return std::to_string(ns / 1'000'000U) + " ms (connect_timeout_ms)"; }

} // namespace

std::vector<address> lookup::take() {
    if (addresses_.empty()) throw sdk::error(CHM_E_RESOLVE, "resolving the host name '" + host_ + "': " + failure_);
    return std::move(addresses_);
}

void lookup::ask_system() noexcept {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    try {
        const int rc = getaddrinfo(host_.c_str(), std::to_string(port_).c_str(), &hints, &found);
        if (rc == EAI_SYSTEM)
            failure_ = std::generic_category().message(errno);
        else if (rc != 0)
            failure_ = gai_strerror(rc);
        else
            failure_ = "no IPv4 or IPv6 address";
        for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
            if (a->ai_family != AF_INET && a->ai_family != AF_INET6) continue;
            address& to = addresses_.emplace_back();
            std::memcpy(&to.storage, a->ai_addr, a->ai_addrlen);
            to.length = a->ai_addrlen;
        }
    } catch (...) { // out of memory: no address, and no text to say so
        addresses_.clear();
    }
    if (found) freeaddrinfo(found);
    answered_.store(true, std::memory_order_release);
    waiter_.wake();
}

std::shared_ptr<lookup> resolver::ask(const std::string& host, std::uint16_t port) {
    auto question = std::make_shared<lookup>(host, port);
    std::lock_guard lock(mutex_);
    questions_.push_back(question);
    if (!thread_.joinable()) {
        // The thread inherits a mask that blocks everything: signals are the application's threads' affair.
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        try {
            thread_ = std::thread([this] { serve(); });
        } catch (...) {
            pthread_sigmask(SIG_SETMASK, &before, nullptr);
            throw;
        }
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
    changed_.notify_one();
    return question;
}

resolver::~resolver() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void resolver::serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return stop_ || !questions_.empty(); });
        if (stop_) return;
        const std::shared_ptr<lookup> question = questions_.front().lock();
        questions_.pop_front();
        if (!question) continue;
        lock.unlock();
        question->ask_system();
        lock.lock();
    }
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
    if (!addresses().empty()) return true;
    if (!question_) question_ = names_.ask(url_.host, url_.port);
    if (!question_->poll(waker)) return false;
    const std::shared_ptr<lookup> answered = std::move(question_);
    resolved_ = answered->take();
    return true;
}

bool connector::attempt(connection& to) {
    deadline_ns_ = 0;
    if (timeout_ns_ !=
        0) { // the remaining time is divided among the remaining addresses, so that none can use all of it
        const std::uint64_t now = sdk::now_ns();
        const std::uint64_t end = begun_ns_ + timeout_ns_;
        deadline_ns_ = now + (end > now ? end - now : 0) / (addresses().size() - next_);
    }
    queue_full_ = !to.open(addresses()[next_]);
    if (queue_full_) {
        const std::uint64_t again = sdk::now_ns() + queue_pause_ns;
        deadline_ns_ = deadline_ns_ == 0 ? again : std::min(deadline_ns_, again);
    }
    return !queue_full_;
}

void connector::expire(connection& to) {
    if (addresses().empty()) {
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
    if (tried < addresses().size()) {
        next_ = tried;
        return;
    }
    std::string text = "connecting to " + addresses()[next_].text() + ": " + why.what();
    if (tried > 1) text += " (the last of " + std::to_string(tried) + " addresses)";
    resolved_.clear(); // asked again next time
    throw sdk::error(why.code(), text);
}

} // namespace chimera::stream_socket
