// Payloads on an ordered stream of bytes: a header of 8 bytes, the payload, zeros up to a multiple of 8. README.md has
// the layout.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "frame/codec.hpp"

namespace chimera::frames {

inline constexpr std::size_t header_size = 8, alignment = 8;

/// Writes frames, one behind the other. One thread at a time.
class frame_writer {
  public:
    /// JSON until use() says otherwise. body: how JSON has bodies.
    explicit frame_writer(body_text body = body_text::numbers);
    /// From the next frame on. HELLO and WELCOME are JSON all the same, so that old and new understand each other.
    void use(codec_id id);
    /// Appends header, payload and padding; nothing is kept back. out: its size is a multiple of 8. Throws
    /// std::invalid_argument, with nothing appended, for what is not a frame.
    void write(const frame& f, byte_buffer& out);

  private:
    std::unique_ptr<codec> json_, session_; // session_: nullptr while it is JSON
    body_text body_;
};

struct payload {
    codec_id codec;
    std::span<const std::byte> bytes; ///< begins at a multiple of 8
};

/// Finds the payloads in pieces of a stream, however it was cut. One thread at a time.
class frame_splitter {
  public:
    /// Only max_frame is used.
    explicit frame_splitter(const limits& most) noexcept : max_frame_(most.max_frame) {}

    /// The next bytes of the stream. [next() has returned nothing] They stay the caller's, who keeps them as they are
    /// until next() has returned nothing again.
    void feed(std::span<const std::byte> piece) {
        if (!piece_.empty()) throw std::logic_error("frame_splitter: the piece before is not used up");
        piece_ = piece;
    }
    /// The next whole payload: a view into the piece where it is complete and aligned there, otherwise into memory of
    /// the splitter. Valid until the next call. Nothing: the piece is used up. Throws frame_error at the first byte
    /// that is wrong, and from then on. A length is checked before memory is taken, and memory is taken for bytes that
    /// have come.
    std::optional<payload> next();
    /// Whether the stream may end here: no part of a frame is kept.
    bool at_boundary() const noexcept { return piece_.empty() && (collected_.empty() || returned_); }

  private:
    struct header {
        std::size_t payload, padded;
        codec_id codec;
    };
    header read_header(std::span<const std::byte, header_size> bytes) const;
    bool collect(std::size_t size);
    payload whole(std::span<const std::byte> bytes, const header& head) const;

    std::size_t max_frame_;
    std::span<const std::byte> piece_;
    byte_buffer collected_; // the beginning of a frame, or a whole one that was returned
    bool returned_ = false; // collected_ is that
    std::string fault_;
};

/// From pieces of a stream to frames. One thread at a time.
class frame_reader {
  public:
    /// accepted: codecs besides JSON that frames may have, bits of bit_of().
    explicit frame_reader(const limits& most, std::uint32_t accepted = 0);

    void accept(std::uint32_t codecs) noexcept { accepted_ |= codecs; }
    /// As frame_splitter.
    void feed(std::span<const std::byte> piece) { splitter_.feed(piece); }
    /// The next frame; its views are valid until the next call. Nothing: the piece is used up, and every frame that is
    /// complete was returned. Throws frame_error, from then on too.
    std::optional<frame> next();
    bool at_boundary() const noexcept { return splitter_.at_boundary(); }

  private:
    limits limits_;
    std::uint32_t accepted_;
    frame_splitter splitter_;
    scratch scratch_;
    std::unique_ptr<codec> json_, flatbuffers_;
    std::string fault_;
};

} // namespace chimera::frames
