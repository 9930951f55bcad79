#include "channel_session.hpp"

#include <vector>

#include "chimera/sdk/error.hpp"
#include "chimera/sdk/text.hpp"
#include "chimera/sdk/timing.hpp"

namespace chimera::async_std_bridge {

class channel_session::exchange final : public bridged_exchange {
  public:
    exchange(channel& link, std::uint32_t yield_every) noexcept : bridged_exchange(yield_every), link_(link) {}

  private:
    chm_rc poll_head(chm_waker* waker, chm_head* head, chm_error* err) noexcept override {
        return sdk::guarded(err, [&]() -> chm_rc {
            const chm_rc rc = link_.take_head(waker, head_, why_);
            if (rc < 0) return failed(rc, err);
            if (rc == CHM_PENDING) return rc;
            timing_ = head_.timing;
            for (const auto& [key, value] : head_.headers) headers_.push_back({sdk::str(key), sdk::str(value)});
            head->status = head_.status;
            head->headers = headers_.data();
            head->n_headers = headers_.size();
            return CHM_READY;
        });
    }
    chm_rc poll_chunk(chm_waker* waker, chm_str* view, chm_error* err) noexcept override {
        return sdk::guarded(err, [&]() -> chm_rc {
            const chm_rc rc = link_.take_chunk(waker, current_, why_);
            if (rc < 0) return failed(rc, err);
            if (rc == CHM_END) timing_ = link_.final_timing();
            if (rc != CHM_READY) return rc;
            timing_ = current_.timing;
            *view = sdk::str(current_.bytes);
            return CHM_READY;
        });
    }
    void close() noexcept override {
        link_.close_exchange();
        delete this;
    }
    void read_timing(chm_exchange_timing* out) const noexcept override { sdk::copy_timing(out, timing_); }
    chm_rc failed(chm_rc rc, chm_error* err) {
        timing_ = link_.final_timing();
        return sdk::fail(err, rc, why_);
    }

    channel& link_; // the session's, which outlives its exchange
    head_copy head_;
    std::vector<chm_kv> headers_;
    chunk_copy current_;
    chm_exchange_timing timing_{};
    std::string why_;
};

chm_exchange* channel_session::start(const chm_request& request) {
    auto opened = std::make_unique<exchange>(*link_, yield_every_);
    link_->post(request);
    return opened.release();
}

} // namespace chimera::async_std_bridge
