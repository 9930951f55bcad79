#include "core.hpp"

#include <limits>

#include "chimera/sdk/text.hpp"
#include "service_task.hpp"

namespace chimera::h2 {

const tls_context& core::tls() {
    std::call_once(tls_made_, [this] { tls_ = std::make_unique<tls_context>(limits.ca_file, limits.tls_verify); });
    return *tls_;
}

/// Under mutex_. Nothing: a new one is to be made, of which the server is taken to allow `most` streams.
std::shared_ptr<connection> core::pick(std::vector<std::weak_ptr<connection>>& of_worker, const std::string& origin,
                                       std::uint32_t& most) {
    std::erase_if(of_worker, [](const std::weak_ptr<connection>& c) { return c.expired(); });
    std::shared_ptr<connection> best;
    std::size_t open = 0, fewest = std::numeric_limits<std::size_t>::max();
    for (const std::weak_ptr<connection>& weak : of_worker) {
        std::shared_ptr<connection> c = weak.lock();
        if (!c || !c->open()) continue; // what is not open serves the streams that it has
        ++open;
        const connection::load now = c->load_now();
        if (!now.full()) return c;
        most = static_cast<std::uint32_t>(now.most);
        if (now.streams >= fewest) continue;
        fewest = now.streams;
        best = std::move(c);
    }
    if (open < limits.connections) return nullptr;
    if (!full_told_ && host_) {
        full_told_ = true;
        host_->log(host_, CHM_LOG_WARN,
                   sdk::str("h2: " + origin + " takes " + std::to_string(most) +
                            " streams on a connection; further requests of this worker wait (option connections = " +
                            std::to_string(limits.connections) + ")"));
    }
    return best;
}

std::shared_ptr<connection> core::connection_for(const user& who, const stream_socket::base_url& url) {
    const chm_rc worker = who.services->worker_here(who.executor);
    if (worker < 0)
        throw sdk::error(CHM_E_AFFINITY, "the exchange is polled outside of the executor's workers, which share a "
                                         "connection each: set share = \"session\"");
    std::shared_ptr<connection> made;
    {
        const std::lock_guard lock(mutex_);
        auto& of_worker = connections_[{who.executor, static_cast<std::uint32_t>(worker), who.reactor, url.origin}];
        std::uint32_t most = connection::usual_streams;
        if (std::shared_ptr<connection> there = pick(of_worker, url.origin, most)) return there;
        const bool pinned = (who.executor->vt->flags & CHM_EXECUTOR_PINNED) != 0;
        made = std::make_shared<connection>(limits, names, url.tls ? &tls() : nullptr, url, who.reactor, !pinned, most);
        of_worker.push_back(made);
    }
    auto service = std::make_unique<service_task>(shared_from_this(), made);
    chm_spawn_opts opts{};
    opts.size = sizeof opts;
    opts.hint = CHM_HINT_WORKER;
    opts.worker = static_cast<std::uint32_t>(worker);
    opts.name = sdk::str("h2");
    const chm_rc rc = who.services->spawn_service(who.executor, service.get(), &opts);
    if (rc < 0) throw sdk::error(rc, "the executor takes no service for the connection");
    static_cast<void>(service.release()); // the executor's
    return made;
}

void core::abandon() {
    std::vector<std::shared_ptr<connection>> all;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [whose, connections] : connections_)
            for (const std::weak_ptr<connection>& weak : connections)
                if (std::shared_ptr<connection> c = weak.lock()) all.push_back(std::move(c));
    }
    for (const std::shared_ptr<connection>& c : all) c->abandon();
}

} // namespace chimera::h2
