// await = "block" and "wake": the inner session is used right here, with the foreign reactor.
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

#include "bridge.hpp"
#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/error.hpp"
#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/waker.hpp"
#include "thread_waker.hpp"

namespace chimera::async_std_bridge {

namespace {

/// A task on the foreign executor that only waits to be dropped: that is the contract's own sign of a stop. Any thread.
class lifeline {
  public:
    /// Throws sdk::error when the foreign executor takes no task.
    static std::shared_ptr<lifeline> tie(chm_executor& foreign) {
        auto line = std::make_shared<lifeline>();
        auto end = std::make_unique<far_end>(line);
        if (const chm_rc rc = foreign.vt->spawn(&foreign, end.get(), nullptr); rc < 0)
            throw sdk::error(rc, "the foreign executor takes no task; was it stopped?");
        static_cast<void>(end.release());
        return line;
    }
    /// There are no listeners any more: the task ends.
    void untie() noexcept {
        {
            std::lock_guard lock(mutex_);
            untied_ = true;
        }
        far_waker_.wake();
    }

    /// A session that waits for the foreign executor.
    class listener {
      public:
        explicit listener(std::shared_ptr<lifeline> line) : line_(std::move(line)) {
            std::lock_guard lock(line_->mutex_);
            place_ = line_->listeners_.emplace(line_->listeners_.end());
        }
        listener(const listener&) = delete;
        listener& operator=(const listener&) = delete;
        ~listener() {
            std::lock_guard lock(line_->mutex_);
            line_->listeners_.erase(place_);
        }
        /// Leaves the waker that is woken when the foreign executor stops; ask cut() afterwards.
        void wake_on_cut(chm_waker* borrowed) noexcept {
            // The slot keeps its waker, and so the address its meaning, until the cut. After that, it is not needed.
            if (std::exchange(left_, borrowed) != borrowed) place_->set(borrowed);
        }
        bool cut() const noexcept { return line_->cut_.load(std::memory_order_acquire); }

      private:
        std::shared_ptr<lifeline> line_;
        std::list<sdk::waker_slot>::iterator place_;
        chm_waker* left_ = nullptr;
    };

  private:
    struct far_end final : chm_task {
        explicit far_end(std::shared_ptr<lifeline> l) noexcept : chm_task{&vtable}, line(std::move(l)) {}
        std::shared_ptr<lifeline> line;

        static chm_rc poll(chm_task* t, chm_waker* waker) noexcept {
            lifeline& line = *static_cast<far_end*>(t)->line;
            line.far_waker_.set(waker);
            std::lock_guard lock(line.mutex_);
            return line.untied_ ? CHM_READY : CHM_PENDING;
        }
        static void drop(chm_task* t) noexcept {
            const std::unique_ptr<far_end> self(static_cast<far_end*>(t));
            self->line->far_waker_.clear();
            self->line->tell();
        }
        static constexpr chm_task_vt vtable{poll, drop};
    };

    void tell() noexcept {
        std::size_t n = 0;
        {
            std::lock_guard lock(mutex_);
            cut_.store(true, std::memory_order_release); // before a slot is emptied: see waker_slot
            n = listeners_.size();
        }
        while (n-- > 0) { // a listener that was told goes to the end of the list; wakes happen outside of the lock
            sdk::waker waiter;
            {
                std::lock_guard lock(mutex_);
                if (listeners_.empty()) return;
                waiter = listeners_.front().take();
                listeners_.splice(listeners_.end(), listeners_, listeners_.begin());
            }
            waiter.wake();
        }
    }

    sdk::waker_slot far_waker_;
    std::atomic<bool> cut_{false};
    std::mutex mutex_;
    // Guarded by mutex_.
    std::list<sdk::waker_slot> listeners_;
    bool untied_ = false;
};

/// Used on its task's worker. Every poll is the inner transport's own, with a waker of the mode: the task's, or the
/// worker's thread_waker.
class direct_session final : public sdk::session_base<direct_session> {
  public:
    /// args: the foreign reactor in place. Throws sdk::error as the inner transport's open says.
    direct_session(chm_transport& inner, const chm_session_args& args, const bridge_settings& settings,
                   const std::shared_ptr<lifeline>& line, const chm_timing_ext* timing);
    direct_session(const direct_session&) = delete;
    direct_session& operator=(const direct_session&) = delete;
    ~direct_session() { inner_->vt->close(inner_); }

    chm_exchange* start(const chm_request& request);

  private:
    class exchange;

    chm_session* inner_ = nullptr;
    const chm_executor* const executor_;
    const bridge_settings settings_;
    const chm_timing_ext* const timing_;
    lifeline::listener foreign_;
};

class direct_session::exchange final : public bridged_exchange {
  public:
    exchange(direct_session& session, chm_exchange* inner) noexcept
        : bridged_exchange(session.settings_.yield_every), session_(session), inner_(inner) {}

  private:
    chm_rc poll_head(chm_waker* waker, chm_head* head, chm_error* err) noexcept override {
        return drive(waker, err, [&](chm_waker* w) { return inner_->vt->poll_head(inner_, w, head, err); });
    }
    chm_rc poll_chunk(chm_waker* waker, chm_str* view, chm_error* err) noexcept override {
        return drive(waker, err, [&](chm_waker* w) { return inner_->vt->poll_chunk(inner_, w, view, err); });
    }
    void close() noexcept override {
        inner_->vt->close(inner_);
        delete this;
    }
    void read_timing(chm_exchange_timing* out) const noexcept override {
        session_.timing_->read(inner_, out);
        if (out->readable_ns == 0) out->readable_ns = unparked_ns_; // no wake began this wait: it was inside the poll
    }

    /// wake: one poll with the task's waker. block: polls with the worker's thread_waker until there is an answer, and
    /// nothing else happens on this worker meanwhile.
    template <class Poll>
    chm_rc drive(chm_waker* waker, chm_error* err, Poll poll) noexcept {
        thread_waker* thread = nullptr;
        unparked_ns_ = 0;
        if (session_.settings_.await == await_mode::block) {
            thread = thread_waker::current(session_.executor_);
            if (!thread)
                return sdk::fail(err, CHM_E_AFFINITY, "polled on a thread that is not a worker of async_std_bridge");
            waker = thread;
        }
        for (;;) {
            session_.foreign_.wake_on_cut(waker);
            if (const chm_rc rc = poll(waker); rc != CHM_PENDING) return rc;
            if (session_.foreign_.cut()) return sdk::fail(err, CHM_E_CANCELED, "the foreign executor was stopped");
            if (!thread) return CHM_PENDING;
            if (!thread->park())
                return sdk::fail(err, CHM_E_CANCELED, "stopped while a worker waited for the foreign executor");
            unparked_ns_ = sdk::now_ns();
        }
    }

    direct_session& session_;
    chm_exchange* const inner_;
    std::uint64_t unparked_ns_ = 0; // block: when the wait inside the latest poll ended; 0: it did not wait
};

direct_session::direct_session(chm_transport& inner, const chm_session_args& args, const bridge_settings& settings,
                               const std::shared_ptr<lifeline>& line, const chm_timing_ext* timing)
    : executor_(args.executor), settings_(settings), timing_(timing), foreign_(line) {
    sdk::error_buffer err;
    err.check(inner.vt->open(&inner, &args, &inner_, err.abi()));
}

chm_exchange* direct_session::start(const chm_request& request) {
    chm_exchange* raw = nullptr;
    sdk::error_buffer err;
    err.check(inner_->vt->start(inner_, &request, &raw, err.abi()));
    try {
        return new exchange(*this, raw);
    } catch (...) {
        raw->vt->close(raw);
        throw;
    }
}

/// "block" and "wake".
class direct_bridge final : public sdk::transport_base<direct_bridge> {
  public:
    direct_bridge(chm_executor& self, chm_executor& foreign, chm_reactor& reactor, chm_transport& inner,
                  const bridge_settings& settings)
        : self_(self), reactor_(reactor), inner_(inner), settings_(settings), timing_(timing_of(inner)),
          line_(lifeline::tie(foreign)) {}
    direct_bridge(const direct_bridge&) = delete;
    direct_bridge& operator=(const direct_bridge&) = delete;
    ~direct_bridge() { line_->untie(); }

    chm_session* open(const chm_session_args& args) {
        chm_session_args mine = args;
        mine.executor = &self_;
        mine.reactor = &reactor_;
        return new direct_session(inner_, mine, settings_, line_, timing_);
    }
    const void* extension(std::string_view id) const noexcept {
        return timing_ && id == CHM_EXT_TIMING ? &bridged_exchange::timing_extension : nullptr;
    }

  private:
    chm_executor& self_;
    chm_reactor& reactor_;
    chm_transport& inner_;
    const bridge_settings settings_;
    const chm_timing_ext* const timing_;
    const std::shared_ptr<lifeline> line_;
};

} // namespace

chm_transport* make_direct_bridge(chm_executor& self, chm_executor& foreign, chm_reactor& reactor, chm_transport& inner,
                                  const bridge_settings& settings) {
    if (!(reactor.vt->flags & CHM_REACTOR_ANY_THREAD))
        throw sdk::error(CHM_E_AFFINITY, "the foreign executor's reactor works on its own threads only: use await = "
                                         "\"channel\", or another foreign executor");
    return new direct_bridge(self, foreign, reactor, inner, settings);
}

} // namespace chimera::async_std_bridge
