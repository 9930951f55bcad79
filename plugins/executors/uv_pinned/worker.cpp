#include "worker.hpp"

#include <cassert>
#include <string>
#include <thread>

#include "chimera/sdk/error.hpp"
#include "chimera/sdk/text.hpp"
#include "reactor.hpp"

namespace chimera::uv_pinned {

namespace {
thread_local worker* current_worker = nullptr;

uv_handle_t* handle(void* any_uv_handle) noexcept { return static_cast<uv_handle_t*>(any_uv_handle); }
} // namespace

worker* worker::current() noexcept { return current_worker; }

worker::worker(roster& roll, const chm_host* host) : roll_(roll), host_(host) {
    if (const int rc = uv_loop_init(&loop_); rc < 0)
        throw sdk::error(CHM_E_FAIL, std::string("uv_loop_init: ") + uv_strerror(rc));
    loop_.data = this;
    const auto on_mail = [](uv_async_t* h) { static_cast<worker*>(h->loop->data)->take_mail(); };
    if (const int rc = uv_async_init(&loop_, &mail_, on_mail); rc < 0) {
        uv_loop_close(&loop_);
        throw sdk::error(CHM_E_FAIL, std::string("uv_async_init: ") + uv_strerror(rc));
    }
    uv_prepare_init(&loop_, &before_wait_);
    uv_prepare_start(&before_wait_, [](uv_prepare_t* h) { static_cast<worker*>(h->loop->data)->turn(); });
    uv_idle_init(&loop_, &no_wait_);
}

void worker::schedule(sdk::task_cell& cell) noexcept {
    if (current_worker == this) return append(cell);
    // Announced first, so that close() waits for whoever got a cell in; after the last line `this` may be gone.
    senders_.fetch_add(1);
    const inbox::answer answer = inbox_.push(cell);
    if (answer == inbox::answer::first) uv_async_send(&mail_);
    senders_.fetch_sub(1);
    if (answer == inbox::answer::closed) cell.release(); // holds a reference to this worker until here
}

void worker::nudge() noexcept {
    senders_.fetch_add(1);
    if (!inbox_.closed()) uv_async_send(&mail_);
    senders_.fetch_sub(1);
}

void worker::take_mail() noexcept {
    for (sdk::task_cell* cell = inbox_.take(); cell;) append(*std::exchange(cell, cell->next));
}

void worker::append(sdk::task_cell& cell) noexcept {
    cell.next = nullptr;
    (last_ ? last_->next : first_) = &cell;
    last_ = &cell;
}

sdk::task_cell* worker::pop() noexcept {
    sdk::task_cell* cell = first_;
    if (cell && !(first_ = cell->next)) last_ = nullptr;
    return cell;
}

void worker::turn() noexcept {
    for (unsigned polls = 0; polls < polls_per_turn && !roll_.over(); ++polls) {
        sdk::task_cell* cell = pop();
        if (!cell) break;
        switch (cell->run()) {
        case sdk::task_cell::outcome::idle:
            break;
        case sdk::task_cell::outcome::again:
            append(*cell);
            break;
        case sdk::task_cell::outcome::done:
            tasks_.remove(*cell);
            roll_.leave();
            break;
        }
    }
    uv_update_time(&loop_); // the wait is counted from the cached time: polls must not be added to it
    if (roll_.over())
        uv_stop(&loop_);
    else if (first_)
        uv_idle_start(&no_wait_, [](uv_idle_t*) {});
    else
        uv_idle_stop(&no_wait_);
}

void worker::work() noexcept {
    current_worker = this;
    uv_run(&loop_, UV_RUN_DEFAULT);
    tasks_.drop_all();
    current_worker = nullptr; // wakes go to the inbox from here on, and close() ends that
    close();
}

void worker::close() noexcept {
    if (std::exchange(closed_, true)) return;
    tasks_.drop_all();
    while (sdk::task_cell* cell = pop()) cell->release();
    for (sdk::task_cell* cell = inbox_.close(); cell;) std::exchange(cell, cell->next)->release();
    while (senders_.load() != 0) std::this_thread::yield();
    close_handles();
}

void worker::close_handles() noexcept {
    uv_close(handle(&mail_), nullptr);
    uv_close(handle(&before_wait_), nullptr);
    uv_close(handle(&no_wait_), nullptr);
    // Tasks have deregistered what they had. What is left here was leaked by one of them: say so, and close it too.
    uv_walk(
        &loop_,
        [](uv_handle_t* h, void* self) {
            if (uv_is_closing(h)) return;
            const chm_host* host = static_cast<worker*>(self)->host_;
            if (host)
                host->log(host, CHM_LOG_WARN,
                          sdk::str("uv_pinned: a file descriptor or timer was still registered at the end"));
            close_leaked(h);
        },
        this);
    uv_run(&loop_, UV_RUN_DEFAULT);
    [[maybe_unused]] const int rc = uv_loop_close(&loop_);
    assert(rc == 0);
}

} // namespace chimera::uv_pinned
