/// @file
/// Services and the numbers of workers (abi/service.h): for executors that offer them, and for transports that use
/// them.
#pragma once

#include "../abi/service.h"
#include "error.hpp"

namespace chimera::sdk {

/// What an executor class answers to CHM_EXT_SERVICE: `if (id == CHM_EXT_SERVICE) return
/// &sdk::service_extension<Self>;` Self derives from executor_base<Self> and needs:
///   std::uint32_t workers() const noexcept
///   chm_rc worker_here() const noexcept                          the caller's number, or CHM_E_AFFINITY
///   chm_rc spawn_service(chm_task*, const chm_spawn_opts*)       may throw before it took the task
template <class Self>
inline constexpr chm_service_ext service_extension{
    sizeof(chm_service_ext), 0,
    [](chm_executor* e) noexcept -> std::uint32_t { return static_cast<const Self*>(e)->workers(); },
    [](chm_executor* e) noexcept -> chm_rc { return static_cast<const Self*>(e)->worker_here(); },
    [](chm_executor* e, chm_task* task, const chm_spawn_opts* opts) noexcept -> chm_rc {
        if (task == nullptr) return CHM_E_INVAL;
        return guarded(nullptr, [&] { return static_cast<Self*>(e)->spawn_service(task, opts); });
    }};

/// [any thread, until destroy] The executor's extension; nullptr where it has none, or where there is no executor.
inline const chm_service_ext* service_of(chm_executor* e) noexcept {
    return e ? static_cast<const chm_service_ext*>(e->vt->get_extension(e, CHM_EXT_SERVICE)) : nullptr;
}

} // namespace chimera::sdk
