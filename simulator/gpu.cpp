#include "gpu.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include <fmt/format.h>

#include "reply_format.hpp"

namespace chimera::sim {

namespace {

constexpr std::size_t slot_count = 256;
constexpr std::uint64_t magic = 0x31757067'696d6863; // "chmigpu1"

int lock_bytes(int fd, int command, short type, off_t at) {
    struct flock range {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = at;
    range.l_len = 1;
    int result = 0;
    do {
        result = fcntl(fd, command, &range);
    } while (result != 0 && errno == EINTR);
    if (result == 0 && command == F_OFD_GETLK) {
        return range.l_type == F_UNLCK ? 0 : 1;
    }
    return result;
}

constexpr std::int64_t look_every_ns = 1'000'000;
constexpr std::int64_t roll_call_every_ns = 20'000'000;

} // namespace

void continue_line(progress_line& line, std::int64_t now, std::uint32_t active, double contention) {
    const double elapsed = static_cast<double>(now - line.base_time) / slowdown_of(line.active, contention);
    line.base_progress += std::llround(elapsed);
    line.base_time = now;
    line.active = active;
}

struct shared_gpu::file {
    struct slot {
        std::int32_t pid;
        std::uint32_t active;
    };
    std::uint64_t magic;
    double contention;
    std::atomic<std::uint64_t> generation;
    progress_line line;
    std::array<slot, slot_count> slots;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// Holds the writers' lock: byte 0 of the file. Slot i is byte 1 + i.
class shared_gpu::exclusive {
  public:
    explicit exclusive(int fd) : fd_(fd) {
        if (lock_bytes(fd_, F_OFD_SETLKW, F_WRLCK, 0) != 0) {
            throw std::runtime_error(fmt::format("shared GPU file: cannot lock it: {}", std::strerror(errno)));
        }
    }
    ~exclusive() { lock_bytes(fd_, F_OFD_SETLK, F_UNLCK, 0); }
    exclusive(const exclusive&) = delete;
    exclusive& operator=(const exclusive&) = delete;

  private:
    int fd_;
};

shared_gpu::shared_gpu(const std::string& path, double contention) : contention_(contention) {
    const auto fail = [&](std::string_view what) {
        const auto text = fmt::format("shared GPU file {}: {}", path, what);
        if (file_ != nullptr) {
            munmap(file_, sizeof(file));
        }
        if (fd_ >= 0) {
            close(fd_);
        }
        throw std::runtime_error(text);
    };
    fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd_ < 0) {
        fail(std::strerror(errno));
    }
    try {
        exclusive lock(fd_);
        struct stat info {};
        if (fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) {
            throw std::runtime_error("not a regular file");
        }
        if (info.st_size != 0 && info.st_size != static_cast<off_t>(sizeof(file))) {
            throw std::runtime_error("not made by this version of chimera-sim; remove it or name another file");
        }
        if (ftruncate(fd_, sizeof(file)) != 0) {
            throw std::runtime_error(std::strerror(errno));
        }
        void* memory = mmap(nullptr, sizeof(file), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
        if (memory == MAP_FAILED) {
            throw std::runtime_error(std::strerror(errno));
        }
        file_ = static_cast<file*>(memory);
        if (info.st_size != 0 && file_->magic != magic) {
            throw std::runtime_error("not a chimera-sim GPU file");
        }
        join(contention);
    } catch (const std::exception& error) {
        fail(error.what());
    }
}

void shared_gpu::join(double contention) {
    file_->magic = magic;
    clear_dead_slots();
    bool alone = true;
    std::size_t free_slot = slot_count;
    for (std::size_t i = slot_count; i-- > 0;) {
        const bool held = slot_is_held(i);
        alone = alone && !held;
        if (!held) {
            free_slot = i;
        }
    }
    if (free_slot == slot_count) {
        throw std::runtime_error(fmt::format("all {} slots are in use", slot_count));
    }
    if (alone) {
        file_->contention = contention;
        file_->line = {monotonic_ns(), 0, 0};
    } else if (file_->contention < contention || file_->contention > contention) {
        throw std::runtime_error(fmt::format("running instances use it with contention {}, this one asks for {}",
                                             file_->contention, contention));
    }
    if (lock_bytes(fd_, F_OFD_SETLK, F_WRLCK, static_cast<off_t>(1 + free_slot)) != 0) {
        throw std::runtime_error(std::strerror(errno));
    }
    slot_ = free_slot;
    file_->slots[slot_] = {getpid(), 0};
}

shared_gpu::~shared_gpu() {
    try {
        set_active(monotonic_ns(), 0);
        file_->slots[slot_] = {};
    } catch (const std::runtime_error&) {
        // Without the lock the slot is left as a dead instance leaves it; the others clear it.
    }
    munmap(file_, sizeof(file));
    close(fd_);
}

progress_line shared_gpu::set_active(std::int64_t now, std::uint32_t active) {
    const exclusive lock(fd_);
    file_->slots[slot_].active = active;
    continue_line(file_->line, std::max(now, file_->line.base_time), count_active(), contention_);
    seen_ = file_->generation.fetch_add(1, std::memory_order_acq_rel) + 1;
    return file_->line;
}

bool shared_gpu::changed() const { return file_->generation.load(std::memory_order_acquire) != seen_; }

progress_line shared_gpu::read() {
    const exclusive lock(fd_);
    seen_ = file_->generation.load(std::memory_order_acquire);
    return file_->line;
}

progress_line shared_gpu::drop_dead(std::int64_t now) {
    const exclusive lock(fd_);
    if (clear_dead_slots()) {
        continue_line(file_->line, std::max(now, file_->line.base_time), count_active(), contention_);
        file_->generation.fetch_add(1, std::memory_order_acq_rel);
    }
    seen_ = file_->generation.load(std::memory_order_acquire);
    return file_->line;
}

bool shared_gpu::slot_is_held(std::size_t slot) const {
    return lock_bytes(fd_, F_OFD_GETLK, F_WRLCK, static_cast<off_t>(1 + slot)) != 0;
}

bool shared_gpu::clear_dead_slots() {
    bool cleared = false;
    for (std::size_t i = 0; i < slot_count; ++i) {
        auto& slot = file_->slots[i];
        const bool own = i == slot_ && slot.pid == getpid();
        if (slot.pid == 0 || own || slot_is_held(i)) {
            continue;
        }
        slot = {};
        cleared = true;
    }
    return cleared;
}

std::uint32_t shared_gpu::count_active() const {
    std::uint32_t active = 0;
    for (const auto& slot : file_->slots) {
        active += slot.active;
    }
    return active;
}

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
