// await = "channel": the data that pass between a session here and its task on the foreign executor.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chimera/abi/timing.h"
#include "chimera/sdk/waker.hpp"

namespace chimera::async_std_bridge {

/// A request with memory of its own.
struct request_copy {
    explicit request_copy(const chm_request& r);
    /// Calls f with the request as the contract passes it.
    template <class F>
    auto with(F&& f) const {
        std::vector<chm_kv> kv;
        kv.reserve(headers.size());
        for (const auto& [key, value] : headers) kv.push_back({{key.data(), key.size()}, {value.data(), value.size()}});
        const chm_request r{sizeof r,
                            static_cast<std::uint32_t>(kv.size()),
                            {method.data(), method.size()},
                            {path.data(), path.size()},
                            kv.data(),
                            {body.data(), body.size()}};
        return f(r);
    }
    std::string method, path, body;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// Head of a response with memory of its own.
struct head_copy {
    std::int32_t status = 0;
    chm_exchange_timing timing{};
    std::vector<std::pair<std::string, std::string>> headers;
};

/// A piece of a body, and the timing as it was when the piece came.
struct chunk_copy {
    std::string bytes;
    chm_exchange_timing timing{};
};

/// Both ends of the channel. Exchanges are numbered; results of an exchange that the near end has closed are dropped.
/// The far end holds a piece back while `capacity` of them wait, and is woken when half of them are taken. Buffers are
/// swapped, not allocated, once the channel has seen pieces of their size.
class channel {
  public:
    explicit channel(std::size_t capacity) : ring_(capacity) {}
    channel(const channel&) = delete;
    channel& operator=(const channel&) = delete;

    // --- near end: the session, on its task's worker ---

    /// Posts a request. Throws sdk::error(CHM_E_STATE) beside an open exchange, CHM_E_CANCELED when the far
    /// end is gone.
    void post(const chm_request& request);
    /// CHM_READY: the head is in *out. Negative: the text is in *why. Otherwise waker will be woken.
    chm_rc take_head(chm_waker* waker, head_copy& out, std::string& why);
    /// CHM_READY: a piece is in `out`, whose old buffer goes back into the channel. CHM_END, negative, CHM_PENDING.
    chm_rc take_chunk(chm_waker* waker, chunk_copy& out, std::string& why);
    /// Timing of the end, once take_chunk has said CHM_END or failed.
    chm_exchange_timing final_timing() const;
    /// Closes the exchange; the far end cancels it unless it is over.
    void close_exchange() noexcept;
    /// Closes the session.
    void close() noexcept;

    // --- far end: the task on the foreign executor ---

    enum class step { finish, cancel, begin, wait, pull };
    /// The far end's next step. open: the number of the exchange that it has open (0: none). The waker
    /// is kept for every answer: the near end may change its mind while the far end pulls.
    step next(std::uint64_t open, chm_waker* waker) noexcept;
    /// After step::begin; nullopt when the near end has closed the exchange since.
    std::optional<std::pair<std::uint64_t, request_copy>> take_request();
    /// Each of these is dropped unless the near end still has exchange `number` open.
    void give_head(std::uint64_t number, const chm_head& head, const chm_exchange_timing& timing);
    void give_chunk(std::uint64_t number, chm_str bytes, const chm_exchange_timing& timing);
    /// CHM_END, or an error with its text.
    void give_result(std::uint64_t number, chm_rc result, std::string text, const chm_exchange_timing& timing) noexcept;
    /// The foreign executor has dropped the far end.
    void far_end_gone() noexcept;

  private:
    bool mine(std::uint64_t number) const noexcept { return number == wanted_; }

    mutable std::mutex mutex_;
    // Everything below is guarded by mutex_. No wake is made under it.
    sdk::waker near_waker_, far_waker_;
    std::uint64_t last_ = 0;   // number of the latest exchange
    std::uint64_t wanted_ = 0; // number of the one that the near end has open; 0: none
    std::optional<request_copy> request_;
    bool closing_ = false;
    bool far_gone_ = false;
    bool far_waits_for_room_ = false;
    // The wanted exchange's response.
    std::optional<head_copy> head_;
    std::vector<chunk_copy> ring_;
    std::size_t first_ = 0, count_ = 0;
    chm_rc result_ = CHM_PENDING;
    std::string result_text_;
    chm_exchange_timing final_timing_{};
};

/// Inner sessions that are open on the foreign executor: the bridge is not destroyed before the last one is closed
/// there.
class session_count {
  public:
    void add() noexcept {
        std::lock_guard lock(mutex_);
        ++n_;
    }
    void remove() noexcept {
        std::lock_guard lock(mutex_);
        if (--n_ == 0) none_.notify_all();
    }
    void wait_for_none() noexcept {
        std::unique_lock lock(mutex_);
        none_.wait(lock, [this] { return n_ == 0; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable none_;
    std::size_t n_ = 0;
};

} // namespace chimera::async_std_bridge
