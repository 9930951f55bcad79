#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "shared_gpu.hpp"

namespace chimera::sim {

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

    /// Takes over what other instances did; call it before looking at deadlines.
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
