// Frames over one connection: encoded, batched, and found again in the bytes that come.
#pragma once

#include "frame/framing.hpp"
#include "quic/connection.hpp"

#include <chimera/abi/coordinator.h>

#include <cstdint>
#include <functional>
#include <string>

namespace chimera::quic {

/// How frames leave. The options of the plugin.
struct link_options {
    frames::codec_id codec = frames::codec_id::flatbuffers;
    frames::body_text body = frames::body_text::numbers;
    /// true: what a turn of the executor produced leaves together. false: each frame leaves by itself.
    bool batch = true;
    std::size_t batch_frames = 20; ///< so many frames do not wait for more
    std::uint64_t linger_ns = 0;   ///< two frames or more wait so long for others
};

/// Guarded by its owner's lock. The connection outlives it, or closed() was called.
class frame_link final : public receiver {
  public:
    /// Gets each frame; throws whatever breaks the protocol.
    using frame_taker = std::function<void(const frames::frame&)>;
    /// max_body: of a frame. work: where the time of encoding and decoding goes.
    frame_link(const link_options&, std::size_t max_body, chm_endpoint_stats& work, frame_taker);

    void attach(connection& c) noexcept { connection_ = &c; }
    void detach() noexcept { connection_ = nullptr; }

    /// Encodes it behind those that wait.
    void send(std::uint64_t now, const frames::frame&);
    /// What is encoded from now on; hello and welcome stay JSON.
    void use(frames::codec_id);
    /// Hands frames to the connection. True: it has something to write. Without batching it hands over one frame.
    bool flush(std::uint64_t now);
    /// When flush() has to be called; UINT64_MAX: nothing waits.
    std::uint64_t expiry() const noexcept;
    bool is_empty() const noexcept { return waiting_ == 0; }

    void on_bytes(std::span<const std::byte>) noexcept override;
    void on_end() noexcept override { ended_ = true; }
    void on_closed() noexcept override { ended_ = true; }
    /// No more frames will come.
    bool has_ended() const noexcept { return ended_; }

  private:
    const link_options& options_;
    chm_endpoint_stats& work_;
    const frame_taker take_;
    frames::frame_writer writer_;
    frames::frame_reader reader_;
    frames::byte_buffer out_;
    std::vector<std::size_t> ends_; ///< of the frames in out_, without batching
    std::size_t handed_ = 0;        ///< of ends_
    std::size_t waiting_ = 0;       ///< frames in out_
    std::uint64_t first_at_ = 0;
    connection* connection_ = nullptr;
    bool ended_ = false;
};

} // namespace chimera::quic
