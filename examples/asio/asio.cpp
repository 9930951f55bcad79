// An executor on Boost.Asio: tasks are handlers of one io_context, which `workers` threads run.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <memory>

#include <chimera/sdk/executor_lifecycle.hpp>
#include <chimera/sdk/plugin.hpp>

#include "reactor.hpp"

namespace chimera::asio_example {

namespace {

struct release_cell {
    void operator()(sdk::task_cell* cell) const noexcept { cell->release(); }
};
using queued_cell = std::unique_ptr<sdk::task_cell, release_cell>; // owns the queue's reference

class executor final : public sdk::executor_base<executor> {
  public:
    static constexpr std::array schema{
        sdk::int_option("workers", "1", 1, 64, "Threads that run the io_context, the caller of run among them")};

    executor(const chm_host*, const sdk::options& o) : life_(*this, static_cast<std::size_t>(o.integer("workers"))) {}

    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts) noexcept { return life_.spawn(task, opts); }
    chm_rc run(std::uint32_t mode) { return life_.run(mode); }
    void stop() noexcept { life_.stop(); }
    const void* extension(std::string_view id) noexcept {
        return id == CHM_EXT_REACTOR ? static_cast<chm_reactor*>(&reactor_) : nullptr;
    }

  private:
    friend sdk::executor_lifecycle<executor>;

    void queue(sdk::task_cell& cell) noexcept {
        asio::post(context_, [this, c = queued_cell(&cell)]() mutable { poll(std::move(c)); });
    }
    void work(std::uint32_t) noexcept { context_.run(); }
    void interrupt() noexcept { context_.stop(); }

    void poll(queued_cell cell) noexcept {
        if (life_.ended()) return;
        sdk::task_cell& c = *cell.release();
        if (life_.poll(c) == sdk::task_cell::outcome::again) queue(c);
    }

    asio::io_context context_; // and the cells that are still queued in it
    const asio::executor_work_guard<asio::io_context::executor_type> stay_{context_.get_executor()};
    reactor reactor_{context_};
    sdk::executor_lifecycle<executor> life_;
};

} // namespace

} // namespace chimera::asio_example

CHIMERA_EXECUTOR_PLUGIN("asio", "1.0", "Boost.Asio's io_context and its reactor", chimera::asio_example::executor);
