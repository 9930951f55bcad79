#include "resolver.hpp"

#include <netdb.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include "chimera/sdk/error.hpp"

namespace chimera::stream_socket {

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

} // namespace chimera::stream_socket
