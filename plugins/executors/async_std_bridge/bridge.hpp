// The bridge: a transport whose sessions are used here while their I/O happens on a foreign executor.
#pragma once

#include <cstddef>
#include <cstdint>

#include "chimera/abi/bridge.h"
#include "chimera/abi/timing.h"

namespace chimera::async_std_bridge {

enum class await_mode { block, wake, channel };

struct bridge_settings {
    await_mode await;
    std::uint32_t yield_every;    // chunks between two turns for others; 0: never
    std::size_t channel_capacity; // chunks
};

/// The bridge of "block" and "wake". Throws sdk::error, as does the other.
chm_transport* make_direct_bridge(chm_executor& self, chm_executor& foreign, chm_reactor& reactor, chm_transport& inner,
                                  const bridge_settings& settings);
/// The bridge of "channel".
chm_transport* make_channel_bridge(chm_executor& foreign, chm_reactor& reactor, chm_transport& inner,
                                   const bridge_settings& settings);

/// The transport's timing, or nullptr where it has none.
inline const chm_timing_ext* timing_of(chm_transport& t) noexcept {
    return static_cast<const chm_timing_ext*>(t.vt->get_extension(&t, CHM_EXT_TIMING));
}

/// Base of the exchanges of every mode: the contract's table, turns for others, and timing.
class bridged_exchange : public chm_exchange {
  public:
    bridged_exchange(const bridged_exchange&) = delete;
    bridged_exchange& operator=(const bridged_exchange&) = delete;

    /// CHM_EXT_TIMING of every bridge whose inner transport has one.
    static const chm_timing_ext timing_extension;

  protected:
    explicit bridged_exchange(std::uint32_t yield_every) noexcept : chm_exchange{&vtable}, yield_every_(yield_every) {}
    virtual ~bridged_exchange() = default;

  private:
    virtual chm_rc poll_head(chm_waker*, chm_head*, chm_error*) noexcept = 0;
    virtual chm_rc poll_chunk(chm_waker*, chm_str*, chm_error*) noexcept = 0;
    virtual void close() noexcept = 0;
    virtual void read_timing(chm_exchange_timing*) const noexcept = 0;

    static chm_rc head_thunk(chm_exchange* x, chm_waker* waker, chm_head* head, chm_error* err) noexcept {
        return static_cast<bridged_exchange*>(x)->poll_head(waker, head, err);
    }
    static chm_rc chunk_thunk(chm_exchange* x, chm_waker* waker, chm_str* view, chm_error* err) noexcept {
        auto& self = *static_cast<bridged_exchange*>(x);
        if (self.yield_every_ != 0 && self.in_this_turn_ >= self.yield_every_) {
            self.in_this_turn_ = 0;
            waker->vt->wake_by_ref(waker);
            return CHM_PENDING;
        }
        const chm_rc rc = self.poll_chunk(waker, view, err);
        if (rc == CHM_READY) ++self.in_this_turn_;
        return rc;
    }
    static void close_thunk(chm_exchange* x) noexcept { static_cast<bridged_exchange*>(x)->close(); }
    static void timing_thunk(const chm_exchange* x, chm_exchange_timing* out) noexcept {
        static_cast<const bridged_exchange*>(x)->read_timing(out);
    }
    static constexpr chm_exchange_vt vtable{sizeof(chm_exchange_vt), 0, head_thunk, chunk_thunk, close_thunk};

    const std::uint32_t yield_every_;
    std::uint32_t in_this_turn_ = 0; // chunks delivered since others had a turn
};

inline constexpr chm_timing_ext bridged_exchange::timing_extension{sizeof(chm_timing_ext), 0, timing_thunk};

} // namespace chimera::async_std_bridge
