#include "core.hpp"

#include <algorithm>
#include <limits>

#include "chimera/abi/task.h"
#include "chimera/sdk/text.hpp"

namespace chimera::h2 {

namespace {

/// The driver of one connection. The executor's from spawn_service on; its end closes the connection, whatever was
/// going on.
class service_task final : public chm_task {
  public:
    /// Holds both: exchanges may let go of the connection, and the transport of its core, at any time.
    service_task(std::shared_ptr<core> whole, std::shared_ptr<connection> served) noexcept
        : chm_task{&vtable}, core_(std::move(whole)), connection_(std::move(served)) {}
    service_task(const service_task&) = delete;
    service_task& operator=(const service_task&) = delete;
    ~service_task() { connection_->shut(CHM_E_CANCELED, "the executor has ended the connection's service"); }

  private:
    static chm_rc poll_thunk(chm_task* t, chm_waker* waker) noexcept {
        const auto p = static_cast<service_task*>(t)->connection_->serve(waker);
        return p == connection::progress::over ? CHM_READY : CHM_PENDING;
    }
    static void drop_thunk(chm_task* t) noexcept { delete static_cast<service_task*>(t); }
    static constexpr chm_task_vt vtable{poll_thunk, drop_thunk};

    const std::shared_ptr<core> core_; // destroyed after connection_, which refers to it
    const std::shared_ptr<connection> connection_;
};

} // namespace

const tls_context& core::tls() {
    std::call_once(tls_made_, [this] { tls_ = std::make_unique<tls_context>(limits.ca_file, limits.tls_verify); });
    return *tls_;
}

/// Under mutex_. Nothing: a new one is to be made.
std::shared_ptr<connection> core::pick(worker_connections& of_worker) const {
    std::shared_ptr<connection> best;
    std::size_t open = 0, fewest = std::numeric_limits<std::size_t>::max();
    for (const std::weak_ptr<connection>& weak : of_worker.all) {
        std::shared_ptr<connection> c = weak.lock();
        if (!c) continue;
        const connection::load now = c->load_now();
        of_worker.most_streams = now.most;
        if (!c->open()) continue; // it serves the streams that it has
        ++open;
        if (!now.full()) return c;
        if (now.streams >= fewest) continue;
        fewest = now.streams;
        best = std::move(c);
    }
    std::erase_if(of_worker.all, [](const std::weak_ptr<connection>& c) { return c.expired(); });
    if (open < limits.connections) return nullptr;
    return best;
}

std::shared_ptr<connection> core::connection_for(const user& who, const stream_socket::base_url& url) {
    const chm_rc worker = who.services->worker_here(who.executor);
    if (worker < 0)
        throw sdk::error(CHM_E_AFFINITY, "the exchange is polled outside of the executor's workers, which share a "
                                         "connection each: set share = \"session\"");
    const key mine{who.executor, static_cast<std::uint32_t>(worker), who.reactor, url.origin};
    std::shared_ptr<connection> there, made;
    {
        const std::lock_guard lock(mutex_);
        worker_connections& of_worker = connections_[mine];
        there = pick(of_worker);
        if (!there) {
            const bool pinned = (who.executor->vt->flags & CHM_EXECUTOR_PINNED) != 0;
            made = std::make_shared<connection>(limits, names, url.tls ? &tls() : nullptr, url, who.reactor, !pinned,
                                                of_worker.most_streams);
            of_worker.all.push_back(made);
            std::erase_if(connections_, [&mine](const auto& entry) { // of executors that are gone
                return entry.first != mine &&
                       std::ranges::all_of(entry.second.all, [](const auto& weak) { return weak.expired(); });
            });
        }
    }
    if (there) {
        tell_of_waiting(*there, url.origin);
        return there;
    }
    auto service = std::make_unique<service_task>(shared_from_this(), made);
    chm_spawn_opts opts{};
    opts.size = sizeof opts;
    opts.hint = CHM_HINT_WORKER;
    opts.worker = static_cast<std::uint32_t>(worker);
    opts.name = sdk::str("h2");
    const chm_rc rc = who.services->spawn_service(who.executor, service.get(), &opts);
    if (rc < 0)
        throw sdk::error(rc, rc == CHM_E_CANCELED ? "the run was stopped"
                                                  : "the executor takes no service for the connection");
    static_cast<void>(service.release()); // the executor's
    return made;
}

/// Once: exchanges wait because the server takes no more streams, which looks like a slow transport.
void core::tell_of_waiting(connection& full, const std::string& origin) {
    const connection::load now = full.load_now();
    if (!host_ || !now.full() || waiting_told_.exchange(true)) return;
    const std::string text = "h2: " + origin + " takes " + std::to_string(now.most) +
                             " streams on a connection; further requests of a worker wait (option connections = " +
                             std::to_string(limits.connections) + ")";
    host_->log(host_, CHM_LOG_WARN, sdk::str(text));
}

void core::abandon() {
    std::vector<std::shared_ptr<connection>> all;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [whose, of_worker] : connections_)
            for (const std::weak_ptr<connection>& weak : of_worker.all)
                if (std::shared_ptr<connection> c = weak.lock()) all.push_back(std::move(c));
    }
    for (const std::shared_ptr<connection>& c : all) c->abandon();
}

} // namespace chimera::h2
