// Who reads a shared connection while none of its sessions is polled.
#pragma once

#include <memory>
#include <utility>

#include "chimera/abi/task.h"
#include "connection.hpp"

namespace chimera::h2 {

class core;

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

} // namespace chimera::h2
