#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

namespace chimera::sim {

/// How the GPU's decode progress runs from `base_time` on: progress(t) = base_progress + (t - base_time) / slowdown.
/// Progress counts the nanoseconds that an undisturbed decoder would have needed.
struct progress_line {
    std::int64_t base_time = 0;
    std::int64_t base_progress = 0;
    std::uint32_t active = 0; ///< decoders at work, of all instances
};

/// Slowdown of each of `active` decoders: 1 + (active - 1) * contention.
constexpr double slowdown_of(std::uint32_t active, double contention) {
    return active > 1 ? 1 + (active - 1) * contention : 1;
}

/// Moves the line's base to `now`, under the slowdown that held so far, and sets the number of decoders from then on.
void continue_line(progress_line& line, std::int64_t now, std::uint32_t active, double contention);

/// A GPU that several processes share through a small file mapped by all of them. It holds one progress line for all,
/// moved whenever an instance starts or stops a decoder, so that every instance follows the law exactly at all times.
/// Writers exclude one another by an OFD lock, which the kernel drops when its holder dies; a second OFD lock, held on
/// a slot of the file for an instance's lifetime, tells which instances live, whatever became of their pids.
class shared_gpu {
  public:
    /// Opens or creates `path`. Throws std::runtime_error (naming the path) when it cannot, when the file is something
    /// else, when all slots are taken, or when instances with another contention are using it.
    shared_gpu(const std::string& path, double contention);
    ~shared_gpu();
    shared_gpu(const shared_gpu&) = delete;
    shared_gpu& operator=(const shared_gpu&) = delete;

    /// Tells all how many decoders this instance has from `now` on; returns the line that then holds.
    progress_line set_active(std::int64_t now, std::uint32_t active);

    /// True when another instance has moved the line since this instance last read it. One atomic load.
    bool changed() const;

    /// The line as it is.
    progress_line read();

    /// Stops counting the decoders of instances that are gone; returns the line that then holds.
    progress_line drop_dead(std::int64_t now);

  private:
    struct file;
    class exclusive;

    void join(double contention);
    bool slot_is_held(std::size_t slot) const;
    bool clear_dead_slots();
    std::uint32_t count_active() const;

    int fd_ = -1;
    file* file_ = nullptr;
    std::size_t slot_ = 0;
    std::uint64_t seen_ = 0;
    double contention_ = 0;
};

inline constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

/// The time in which decoding happens. All decoders of a GPU are slowed alike, so one line tells for all of them how
/// far an undisturbed decoder would be: deadlines of tokens are kept in progress, and turned into time when they
/// matter. Without contention progress is time itself. Not thread-safe.
class decode_clock {
  public:
    /// `shared_file` empty: the decoders of this instance are all there are. Throws as shared_gpu does.
    decode_clock(double contention, const std::string& shared_file);

    void start_decoder(std::int64_t now);
    void stop_decoder(std::int64_t now);

    /// Progress at `time`; a time before the last change counts as the change itself.
    std::int64_t progress_at(std::int64_t time) const;

    /// When `progress` is reached if nothing changes.
    std::int64_t time_of(std::int64_t progress) const;

    /// Takes over the changes of other instances; call it before looking at deadlines.
    void look_at_others(std::int64_t now);

    /// When to look again although no deadline is due: others may finish, and deadlines then come sooner.
    std::int64_t next_look(std::int64_t now) const;

    std::uint32_t own_decoders() const { return own_; }
    std::uint32_t all_decoders() const { return line_.active; }

  private:
    void set_own(std::int64_t now, std::uint32_t decoders);

    double contention_;
    std::optional<shared_gpu> shared_;
    progress_line line_;
    std::uint32_t own_ = 0;
    std::int64_t last_roll_call_ = 0;
};

} // namespace chimera::sim
