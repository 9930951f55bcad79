/// @file
/// From C++ classes to the tables of abi/coordinator.h: coordinators, endpoints and the exported entry.
///
/// A class derives from coordinator_base<Self> (or endpoint_base) and has the member functions that the thunks below
/// call. All of them may throw, unless they are noexcept.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "../abi/coordinator.h"
#include "plugin.hpp"

namespace chimera::sdk {

/// Self needs:
///   chm_endpoint* join(const chm_endpoint_args&)
///   const void* extension(std::string_view id) noexcept
/// Flags: CHM_COORDINATOR_*.
template <class Self, std::uint32_t Flags = 0>
class coordinator_base : public chm_coordinator {
  protected:
    coordinator_base() noexcept : chm_coordinator{&vtable} {}
    ~coordinator_base() = default;

  private:
    static Self& self(chm_coordinator* c) noexcept { return *static_cast<Self*>(c); }
    static chm_rc join_thunk(chm_coordinator* c, const chm_endpoint_args* args, chm_endpoint** out,
                             chm_error* err) noexcept {
        return guarded(err, [&]() -> chm_rc {
            *out = self(c).join(*args);
            return CHM_OK;
        });
    }
    static void destroy_thunk(chm_coordinator* c) noexcept { delete &self(c); }
    static const void* extension_thunk(chm_coordinator* c, const char* id) noexcept {
        return id ? self(c).extension(id) : nullptr;
    }
    static constexpr chm_coordinator_vt vtable{sizeof(chm_coordinator_vt), Flags, join_thunk, destroy_thunk,
                                               extension_thunk};
};

/// Self needs:
///   poll_result poll_ready(chm_waker*)
///   std::string_view address() noexcept
///   poll_result poll_send(chm_waker*, std::int32_t to, std::uint32_t channel, std::span<const chm_str> parts,
///                         std::uint64_t& seq)
///   poll_result poll_receive(chm_waker*, chm_message&)
///   poll_result poll_event(chm_waker*, chm_group_event&)
///   std::uint64_t propose(std::string_view action, std::string_view body)
///   void vote(std::uint64_t proposal, bool yes)
///   poll_result poll_decision(chm_waker*, std::uint64_t proposal, chm_decision&)
///   poll_result poll_barrier(chm_waker*, std::string_view name)
///   void clock_offset(std::int32_t who, std::int64_t& offset_ns, std::uint64_t& bound_ns)
///   chm_endpoint_stats stats() noexcept
///   void close() noexcept                       frees the endpoint, or gives it back
/// The structs that it fills are whole: the thunks cut them to the caller's size.
template <class Self>
class endpoint_base : public chm_endpoint {
  protected:
    endpoint_base() noexcept : chm_endpoint{&vtable} {}
    ~endpoint_base() = default;

  private:
    static Self& self(chm_endpoint* e) noexcept { return *static_cast<Self*>(e); }
    template <class Poll>
    static chm_rc polled(chm_error* err, Poll&& poll) noexcept {
        return guarded(err, [&]() -> chm_rc {
            const poll_result result = poll();
            return static_cast<chm_rc>(result);
        });
    }
    /// Polls for a struct that the plugin fills.
    template <class Struct, class Poll>
    static chm_rc filled(chm_error* err, Struct* out, Poll&& poll) noexcept {
        return guarded(err, [&]() -> chm_rc {
            Struct mine{};
            mine.size = sizeof mine;
            const poll_result result = poll(mine);
            if (result == poll_result::ready) copy_sized(out, mine);
            return static_cast<chm_rc>(result);
        });
    }
    static chm_rc ready_thunk(chm_endpoint* e, chm_waker* waker, chm_error* err) noexcept {
        return polled(err, [&] { return self(e).poll_ready(waker); });
    }
    static chm_str address_thunk(chm_endpoint* e) noexcept { return str(self(e).address()); }
    static chm_rc send_thunk(chm_endpoint* e, chm_waker* waker, std::int32_t to, std::uint32_t channel,
                             const chm_str* parts, std::size_t n, std::uint64_t* seq, chm_error* err) noexcept {
        return polled(err, [&] {
            std::uint64_t number = 0;
            const poll_result result = self(e).poll_send(waker, to, channel, {parts, n}, number);
            if (result == poll_result::ready && seq != nullptr) *seq = number;
            return result;
        });
    }
    static chm_rc receive_thunk(chm_endpoint* e, chm_waker* waker, chm_message* out, chm_error* err) noexcept {
        return filled(err, out, [&](chm_message& m) { return self(e).poll_receive(waker, m); });
    }
    static chm_rc event_thunk(chm_endpoint* e, chm_waker* waker, chm_group_event* out, chm_error* err) noexcept {
        return filled(err, out, [&](chm_group_event& m) { return self(e).poll_event(waker, m); });
    }
    static chm_rc propose_thunk(chm_endpoint* e, chm_str action, chm_str body, std::uint64_t* proposal,
                                chm_error* err) noexcept {
        return guarded(err, [&]() -> chm_rc {
            *proposal = self(e).propose(view(action), view(body));
            return CHM_OK;
        });
    }
    static chm_rc vote_thunk(chm_endpoint* e, std::uint64_t proposal, std::int32_t yes, chm_error* err) noexcept {
        return guarded(err, [&]() -> chm_rc {
            self(e).vote(proposal, yes != 0);
            return CHM_OK;
        });
    }
    static chm_rc decision_thunk(chm_endpoint* e, chm_waker* waker, std::uint64_t proposal, chm_decision* out,
                                 chm_error* err) noexcept {
        return filled(err, out, [&](chm_decision& m) { return self(e).poll_decision(waker, proposal, m); });
    }
    static chm_rc barrier_thunk(chm_endpoint* e, chm_waker* waker, chm_str name, chm_error* err) noexcept {
        return polled(err, [&] { return self(e).poll_barrier(waker, view(name)); });
    }
    static chm_rc clock_thunk(chm_endpoint* e, std::int32_t who, std::int64_t* offset_ns, std::uint64_t* bound_ns,
                              chm_error* err) noexcept {
        return guarded(err, [&]() -> chm_rc {
            self(e).clock_offset(who, *offset_ns, *bound_ns);
            return CHM_OK;
        });
    }
    static void stats_thunk(chm_endpoint* e, chm_endpoint_stats* out) noexcept { copy_sized(out, self(e).stats()); }
    static void close_thunk(chm_endpoint* e) noexcept { self(e).close(); }
    static constexpr chm_endpoint_vt vtable{
        sizeof(chm_endpoint_vt), 0,          ready_thunk,    address_thunk, send_thunk,  receive_thunk, event_thunk,
        propose_thunk,           vote_thunk, decision_thunk, barrier_thunk, clock_thunk, stats_thunk,   close_thunk};
};

/// The factory of a coordinator class: as executor_factory.
template <class Coordinator>
inline const chm_coordinator_factory coordinator_factory{
    sizeof(chm_coordinator_factory), static_cast<std::uint32_t>(std::size(Coordinator::schema)),
    std::data(Coordinator::schema),
    [](const chm_host* host, const chm_config* config, chm_coordinator** out, chm_error* err) noexcept -> chm_rc {
        return guarded(err, [&]() -> chm_rc {
            *out = std::make_unique<Coordinator>(host, options(config, Coordinator::schema)).release();
            return CHM_OK;
        });
    }};
/// get_factory of a plugin whose factory makes coordinators of this class, and no other.
template <class Type>
inline constexpr auto single_coordinator = single_factory<coordinator_factory<Type>>;

} // namespace chimera::sdk

/// As CHIMERA_EXECUTOR_PLUGIN, for a plugin with one coordinator.
#define CHIMERA_COORDINATOR_PLUGIN(id, version, description, type)                                                     \
    CHIMERA_PLUGIN_ENTRY_OF(id, version, description, ::chimera::sdk::plugin_flags_of<type>,                           \
                            ::chimera::sdk::init_of<type>, ::chimera::sdk::deinit_of<type>,                            \
                            ::chimera::sdk::single_coordinator<type>)
