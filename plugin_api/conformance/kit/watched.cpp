#include "watched.hpp"

#include <string_view>

#include "chimera/abi/timing.h"

namespace chimera::conformance {

namespace {

struct watched_transport final : chm_transport {
    watched_transport(chm_transport* around, ledger& l) noexcept;
    chm_transport* const inner;
    ledger& to;
    const chm_timing_ext* const timing; ///< nullptr: it has none
    chm_transport_vt table;
};

struct watched_exchange final : chm_exchange {
    watched_exchange(chm_exchange* around, const watched_transport& o) noexcept
        : chm_exchange{&vtable}, inner(around), owner(o) {}
    chm_exchange* const inner;
    const watched_transport& owner;

    static watched_exchange& self(chm_exchange* x) noexcept { return *static_cast<watched_exchange*>(x); }
    static const chm_exchange_vt vtable;
};

constexpr chm_exchange_vt watched_exchange::vtable{
    sizeof(chm_exchange_vt), 0,
    [](chm_exchange* x, chm_waker* w, chm_head* head, chm_error* err) noexcept -> chm_rc {
        const watched_waker mine(w);
        const chm_rc rc = self(x).inner->vt->poll_head(self(x).inner, mine.get(), head, err);
        expect_a_wake(mine, rc == CHM_PENDING, "poll_head", self(x).owner.to);
        return rc;
    },
    [](chm_exchange* x, chm_waker* w, chm_str* view, chm_error* err) noexcept -> chm_rc {
        const watched_waker mine(w);
        const chm_rc rc = self(x).inner->vt->poll_chunk(self(x).inner, mine.get(), view, err);
        expect_a_wake(mine, rc == CHM_PENDING, "poll_chunk", self(x).owner.to);
        return rc;
    },
    [](chm_exchange* x) noexcept {
        self(x).inner->vt->close(self(x).inner);
        delete &self(x);
    }};

struct watched_session final : chm_session {
    watched_session(chm_session* around, const watched_transport& o) noexcept
        : chm_session{&vtable}, inner(around), owner(o) {}
    chm_session* const inner;
    const watched_transport& owner;

    static watched_session& self(chm_session* s) noexcept { return *static_cast<watched_session*>(s); }
    static const chm_session_vt vtable;
};

constexpr chm_session_vt watched_session::vtable{
    sizeof(chm_session_vt), 0,
    [](chm_session* s, const chm_request* request, chm_exchange** out, chm_error* err) noexcept -> chm_rc {
        chm_exchange* made = nullptr;
        const chm_rc rc = self(s).inner->vt->start(self(s).inner, request, &made, err);
        if (made) *out = new watched_exchange(made, self(s).owner);
        return rc;
    },
    [](chm_session* s) noexcept {
        self(s).inner->vt->close(self(s).inner);
        delete &self(s);
    }};

watched_transport& self(chm_transport* t) noexcept { return *static_cast<watched_transport*>(t); }

constexpr chm_timing_ext timing_table{sizeof(chm_timing_ext), 0,
                                      [](const chm_exchange* x, chm_exchange_timing* out) noexcept {
                                          const auto& watched = *static_cast<const watched_exchange*>(x);
                                          watched.owner.timing->read(watched.inner, out);
                                      }};

chm_rc open(chm_transport* t, const chm_session_args* args, chm_session** out, chm_error* err) noexcept {
    chm_session* made = nullptr;
    const chm_rc rc = self(t).inner->vt->open(self(t).inner, args, &made, err);
    if (made) *out = new watched_session(made, self(t));
    return rc;
}

void destroy(chm_transport* t) noexcept {
    self(t).inner->vt->destroy(self(t).inner);
    delete &self(t);
}

const void* get_extension(chm_transport* t, const char* id) noexcept {
    if (self(t).timing && std::string_view(id) == CHM_EXT_TIMING) return &timing_table;
    return self(t).inner->vt->get_extension(self(t).inner, id);
}

watched_transport::watched_transport(chm_transport* around, ledger& l) noexcept
    : chm_transport{&table}, inner(around), to(l),
      timing(static_cast<const chm_timing_ext*>(around->vt->get_extension(around, CHM_EXT_TIMING))),
      table{sizeof table, around->vt->flags, open, destroy, get_extension} {}

} // namespace

chm_transport* watch(chm_transport* inner, ledger& to) { return new watched_transport(inner, to); }

} // namespace chimera::conformance
