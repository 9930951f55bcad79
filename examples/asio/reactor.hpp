// The contract's reactor on Boost.Asio's: waits of a stream_descriptor, and steady_timer.
#pragma once

#include <boost/asio/io_context.hpp>

#include <chimera/abi/reactor.h>

namespace chimera::asio_example {

namespace asio = boost::asio;

/// For any thread. Asio completes a wait once, on a thread that runs the context, and asks the kernel anew for each:
/// reported bits are kept until they are cleared, and a clear of either kind loses nothing.
class reactor final : public chm_reactor {
  public:
    explicit reactor(asio::io_context& context) noexcept : chm_reactor{&vtable}, context_(context) {}
    reactor(const reactor&) = delete;
    reactor& operator=(const reactor&) = delete;

  private:
    static reactor& self(chm_reactor* r) noexcept { return *static_cast<reactor*>(r); }
    static chm_rc io_register(chm_reactor*, int fd, chm_io** out) noexcept;
    static std::uint32_t io_poll(chm_reactor*, chm_io*, std::uint32_t interest, chm_waker*) noexcept;
    static void io_clear(chm_reactor*, chm_io*, std::uint32_t seen, std::uint32_t bits, std::uint32_t how) noexcept;
    static void io_deregister(chm_reactor*, chm_io*) noexcept;
    static chm_rc timer_create(chm_reactor*, chm_timer** out) noexcept;
    static chm_rc timer_poll(chm_reactor*, chm_timer*, std::uint64_t deadline_ns, chm_waker*) noexcept;
    static void timer_destroy(chm_reactor*, chm_timer*) noexcept;
    static const void* get_extension(chm_reactor*, const char* id) noexcept;
    static const chm_reactor_vt vtable;

    asio::io_context& context_;
};

} // namespace chimera::asio_example
