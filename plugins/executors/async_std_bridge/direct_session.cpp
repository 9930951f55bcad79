#include "direct_session.hpp"

#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/error.hpp"
#include "thread_waker.hpp"

namespace chimera::async_std_bridge {

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
                return sdk::fail(err, CHM_E_AFFINITY, "polled on a thread that is no worker of async_std_bridge");
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

} // namespace chimera::async_std_bridge
