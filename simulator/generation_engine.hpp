#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generation.hpp"
#include "gpu.hpp"
#include "model_runner.hpp"
#include "options.hpp"
#include "reply_format.hpp"
#include "server_stats.hpp"

namespace chimera::sim {

/// Moves all replies on: queue, model load, prefill, tokens, final record, faults. It owns none of them. Deadlines are
/// kept in two heaps: in time (loads, prefills, stalls, drips) and in decode progress (tokens). It never waits; its
/// caller looks at next_wake() and calls run(). Single-threaded.
class generation_engine {
  public:
    generation_engine(const options& o, server_stats& stats, wall_clock& clock);

    /// Takes a new reply on. It must stay where it is until it was in take_finished() or was cancelled.
    void submit(generation& reply, std::int64_t now);

    /// Forgets a reply whose client is gone.
    void cancel(generation& reply, std::int64_t now);

    /// The connection has sent the rest of its last send.
    void resume(generation& reply, std::int64_t now);

    /// Does due work, for a limited time: the caller also has to serve its sockets.
    void run();

    /// When run() is to be called at the latest; 0: at once.
    std::int64_t next_wake(std::int64_t now) const;

    /// Replies that are over since the last call, with `end` set. The engine has let go of them.
    std::vector<generation*> take_finished();

    std::size_t active() const { return runner_.active(); }
    std::size_t queued() const { return runner_.queued(); }
    const decode_clock& gpu() const { return gpu_; }

    /// The loaded model; its name is empty where none is.
    const runner_key& loaded() const { return runner_.loaded(); }

  private:
    using output = http_connection::output;

    void start_what_can(std::int64_t at);
    void begin_prefill(generation& reply, std::int64_t at);
    void begin_decoding(generation& reply, std::int64_t at);
    void on_timer(generation& reply, std::int64_t deadline);
    bool run_timers(std::int64_t now);
    void run_unpaced();

    void send_tokens(generation& reply);
    void send_whole(generation& reply);
    void pass_unsent(generation& reply);
    void send_closing(generation& reply);
    void arm_next_token(generation& reply);
    void finish_decoding(generation& reply, std::int64_t now);
    void count_lateness(const generation& reply, std::uint32_t first, std::uint32_t count, std::int64_t sent);

    void shape(generation& reply);
    bool strike(generation& reply);
    void strike_stream(generation& reply);
    void strike_whole(generation& reply, std::string body);
    void stall(generation& reply, std::uint32_t ms);
    void start_drip(generation& reply, std::string_view bytes);
    void drip_byte(generation& reply);
    void start_linger(generation& reply, std::string_view bytes);
    void linger_on(generation& reply);
    output hold_back(generation& reply, std::string_view bytes);

    output deliver(generation& reply, std::string_view bytes);
    void settle(generation& reply, output result);
    void proceed(generation& reply);
    void end_with(generation& reply, std::string_view bytes, generation::ending end);
    void over(generation& reply, generation::ending end);
    void let_go(generation& reply, std::int64_t now);

    void set_timer(generation& reply, std::int64_t deadline, bool counts_progress);
    void stop_timer(generation& reply);
    std::string head(generation& reply, std::int64_t body_size = -1);
    std::string framed(const generation& reply, std::string_view record) const;

    const options& options_;
    server_stats& stats_;
    wall_clock& clock_;
    decode_clock gpu_;
    model_runner<generation> runner_;
    std::int64_t load_began_ = 0;
    std::int64_t loaded_at_ = 0;
    equal_requests equals_;

    timer_heap<generation> by_time_;
    timer_heap<generation> by_progress_;
    std::vector<generation*> unpaced_;
    std::vector<generation*> finished_;
    record_buffer out_;
};

} // namespace chimera::sim
