#include "quic/send_queue.hpp"

#include <algorithm>

namespace chimera::quic {

void send_queue::push(std::span<const std::byte> bytes) {
    const auto blocks_needed = (end_ + bytes.size() + block_size - 1) / block_size;
    while (blocks_.size() < blocks_needed) blocks_.push_back(spare_ ? std::move(spare_) : std::make_unique<block>());
    while (!bytes.empty()) {
        const auto at = end_ % block_size;
        const auto n = std::min(bytes.size(), block_size - at);
        std::copy_n(bytes.begin(), n, blocks_[end_ / block_size]->begin() + static_cast<std::ptrdiff_t>(at));
        end_ += n;
        bytes = bytes.subspan(n);
    }
}

std::size_t send_queue::front(std::array<std::span<const std::byte>, most_pieces>& out) const {
    std::size_t count = 0;
    for (auto at = sent_; at < end_ && count < out.size(); ++count) {
        const auto n = std::min(end_ - at, block_size - at % block_size);
        out[count] = std::span<const std::byte>(*blocks_[at / block_size]).subspan(at % block_size, n);
        at += n;
    }
    return count;
}

void send_queue::acknowledged(std::size_t bytes) {
    begin_ += bytes;
    while (begin_ >= block_size) {
        if (!spare_) spare_ = std::move(blocks_.front());
        blocks_.pop_front();
        begin_ -= block_size;
        sent_ -= block_size;
        end_ -= block_size;
    }
}

} // namespace chimera::quic
