#include "decode_clock.hpp"

#include <algorithm>

namespace chimera::sim {
namespace {

constexpr std::int64_t look_every_ns = 1'000'000;
constexpr std::int64_t roll_call_every_ns = 20'000'000;

} // namespace

decode_clock::decode_clock(double contention, const std::string& shared_file) : contention_(contention) {
    if (!shared_file.empty()) {
        shared_.emplace(shared_file, contention);
        line_ = shared_->read();
    }
}

void decode_clock::start_decoder(std::int64_t now) { set_own(now, own_ + 1); }
void decode_clock::stop_decoder(std::int64_t now) { set_own(now, own_ - 1); }

void decode_clock::set_own(std::int64_t now, std::uint32_t decoders) {
    own_ = decoders;
    if (shared_) {
        line_ = shared_->set_active(now, own_);
    } else if (contention_ > 0) {
        continue_line(line_, now, own_, contention_);
    } else {
        line_.active = own_;
    }
}

std::int64_t decode_clock::progress_at(std::int64_t time) const {
    if (contention_ <= 0) {
        return time;
    }
    const double elapsed = static_cast<double>(std::max<std::int64_t>(time - line_.base_time, 0));
    return line_.base_progress + static_cast<std::int64_t>(elapsed / slowdown_of(line_.active, contention_));
}

std::int64_t decode_clock::time_of(std::int64_t progress) const {
    if (contention_ <= 0) {
        return progress;
    }
    const double to_do = static_cast<double>(progress - line_.base_progress);
    return line_.base_time + static_cast<std::int64_t>(to_do * slowdown_of(line_.active, contention_));
}

void decode_clock::look_at_others(std::int64_t now) {
    if (!shared_) {
        return;
    }
    if (line_.active > own_ && now - last_roll_call_ > roll_call_every_ns) {
        last_roll_call_ = now;
        line_ = shared_->drop_dead(now);
    } else if (shared_->changed()) {
        line_ = shared_->read();
    }
}

std::int64_t decode_clock::next_look(std::int64_t now) const {
    return shared_ && own_ > 0 && line_.active > own_ ? now + look_every_ns : never;
}

} // namespace chimera::sim
