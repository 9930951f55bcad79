#include "quic/frame_link.hpp"

#include "group/party.hpp"

#include <exception>

namespace chimera::quic {
namespace {
/// Of a close because the peer broke the protocol of frames.
constexpr std::uint64_t protocol_code = 2;
} // namespace

frame_link::frame_link(const link_options& o, std::size_t max_body, chm_endpoint_stats& work, frame_taker take)
    : options_(o), work_(work), take_(std::move(take)), writer_(o.body), reader_(frames::limits::for_body(max_body)) {}

void frame_link::use(frames::codec_id codec) {
    writer_.use(codec);
    reader_.accept(frames::bit_of(codec));
}

void frame_link::send(std::uint64_t now, const frames::frame& f) {
    if (ended_ || connection_ == nullptr) return;
    const group::timed encoding(work_.serialize_ns);
    writer_.write(f, out_);
    if (waiting_++ == 0) first_at_ = now;
    if (!options_.batch) ends_.push_back(out_.size());
}

std::uint64_t frame_link::expiry() const noexcept {
    if (waiting_ == 0) return UINT64_MAX;
    // One frame never waits for others: its sender may be waiting for the answer.
    if (!options_.batch || waiting_ == 1 || waiting_ >= options_.batch_frames) return 0;
    return first_at_ + options_.linger_ns;
}

bool frame_link::flush(std::uint64_t now) {
    if (waiting_ == 0 || connection_ == nullptr || expiry() > now) return false;
    if (options_.batch) {
        connection_->send(out_.bytes());
        waiting_ = 0;
    } else {
        const std::size_t begin = handed_ == 0 ? 0 : ends_[handed_ - 1];
        connection_->send(out_.bytes().subspan(begin, ends_[handed_] - begin));
        ++handed_;
        --waiting_;
    }
    if (waiting_ == 0) {
        out_.clear();
        ends_.clear();
        handed_ = 0;
    }
    return true;
}

void frame_link::on_bytes(std::span<const std::byte> bytes) noexcept {
    connection_->consumed(bytes.size()); // windows of messages bound what a peer can send, see group::party
    if (ended_) return;
    try {
        reader_.feed(bytes);
        for (;;) {
            std::optional<frames::frame> f;
            {
                const group::timed decoding(work_.serialize_ns);
                f = reader_.next();
            }
            if (!f || ended_) return;
            take_(*f);
        }
    } catch (const std::exception& e) {
        ended_ = true;
        if (connection_ != nullptr) connection_->close(protocol_code, e.what());
    }
}

} // namespace chimera::quic
