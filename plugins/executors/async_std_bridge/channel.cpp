#include "channel.hpp"

#include "chimera/sdk/error.hpp"
#include "chimera/sdk/text.hpp"

namespace chimera::async_std_bridge {

namespace {
constexpr const char* gone = "the foreign executor was stopped";
} // namespace

request_copy::request_copy(const chm_request& r)
    : method(sdk::view(r.method)), path(sdk::view(r.path)), body(sdk::view(r.body)) {
    for (std::uint32_t i = 0; i < r.n_headers; ++i)
        headers.emplace_back(sdk::view(r.headers[i].key), sdk::view(r.headers[i].value));
}

// --- near end ---

void channel::post(const chm_request& request) {
    request_copy copy(request);
    sdk::waker far;
    std::unique_lock lock(mutex_);
    if (wanted_ != 0) throw sdk::error(CHM_E_STATE, "the session's last exchange is still open");
    if (far_gone_) throw sdk::error(CHM_E_CANCELED, gone);
    request_ = std::move(copy);
    wanted_ = ++last_;
    head_.reset();
    first_ = count_ = 0;
    result_ = CHM_PENDING;
    result_text_.clear();
    final_timing_ = {};
    far = far_waker_;
    lock.unlock();
    far.wake();
}

chm_rc channel::take_head(chm_waker* waker, head_copy& out, std::string& why) {
    std::lock_guard lock(mutex_);
    if (head_) {
        out = std::move(*head_);
        return CHM_READY;
    }
    if (result_ < 0) {
        why = result_text_;
        return result_;
    }
    near_waker_.become(waker);
    return CHM_PENDING;
}

chm_rc channel::take_chunk(chm_waker* waker, chunk_copy& out, std::string& why) {
    sdk::waker far;
    {
        std::lock_guard lock(mutex_);
        if (count_ == 0) {
            if (result_ < 0) why = result_text_;
            if (result_ == CHM_PENDING) near_waker_.become(waker);
            return result_;
        }
        std::swap(out, ring_[first_]);
        first_ = (first_ + 1) % ring_.size();
        --count_;
        if (far_waits_for_room_ && count_ <= ring_.size() / 2) {
            far_waits_for_room_ = false;
            far = far_waker_;
        }
    }
    far.wake();
    return CHM_READY;
}

chm_exchange_timing channel::final_timing() const {
    std::lock_guard lock(mutex_);
    return final_timing_;
}

void channel::close_exchange() noexcept {
    sdk::waker far, near;
    {
        std::lock_guard lock(mutex_);
        near = std::move(near_waker_);
        request_.reset();
        if (result_ == CHM_PENDING) far = far_waker_; // it is not over: to be cancelled
        wanted_ = 0;
    }
    far.wake();
}

void channel::close() noexcept {
    sdk::waker far;
    {
        std::lock_guard lock(mutex_);
        closing_ = true;
        far = far_waker_;
    }
    far.wake();
}

// --- far end ---

channel::step channel::next(std::uint64_t open, chm_waker* waker) noexcept {
    std::lock_guard lock(mutex_);
    far_waker_.become(waker);
    if (closing_) return step::finish;
    if (open != 0 && !mine(open)) return step::cancel;
    if (open == 0) return request_ ? step::begin : step::wait;
    far_waits_for_room_ = count_ == ring_.size();
    return far_waits_for_room_ ? step::wait : step::pull;
}

std::optional<std::pair<std::uint64_t, request_copy>> channel::take_request() {
    std::lock_guard lock(mutex_);
    if (!request_) return std::nullopt; // closed again meanwhile
    std::pair<std::uint64_t, request_copy> taken(wanted_, std::move(*request_));
    request_.reset();
    return taken;
}

void channel::give_head(std::uint64_t number, const chm_head& head, const chm_exchange_timing& timing) {
    head_copy copy{head.status, timing, {}};
    for (std::size_t i = 0; i < head.n_headers; ++i)
        copy.headers.emplace_back(sdk::view(head.headers[i].key), sdk::view(head.headers[i].value));
    sdk::waker near;
    {
        std::lock_guard lock(mutex_);
        if (!mine(number)) return;
        head_ = std::move(copy);
        near = std::move(near_waker_);
    }
    near.wake();
}

void channel::give_chunk(std::uint64_t number, chm_str bytes, const chm_exchange_timing& timing) {
    sdk::waker near;
    {
        std::lock_guard lock(mutex_);
        if (!mine(number)) return;
        chunk_copy& place = ring_[(first_ + count_) % ring_.size()];
        place.bytes.assign(bytes.ptr, bytes.len);
        place.timing = timing;
        ++count_;
        near = std::move(near_waker_);
    }
    near.wake();
}

void channel::give_result(std::uint64_t number, chm_rc result, std::string text,
                          const chm_exchange_timing& timing) noexcept {
    sdk::waker near;
    {
        std::lock_guard lock(mutex_);
        if (!mine(number)) return;
        result_ = result;
        result_text_ = std::move(text);
        final_timing_ = timing;
        near = std::move(near_waker_);
    }
    near.wake();
}

void channel::far_end_gone() noexcept {
    sdk::waker near, far;
    {
        std::lock_guard lock(mutex_);
        far_gone_ = true;
        far = std::move(far_waker_);
        if (result_ == CHM_PENDING) {
            result_ = CHM_E_CANCELED;
            result_text_ = gone;
        }
        near = std::move(near_waker_);
    }
    near.wake();
}

} // namespace chimera::async_std_bridge
