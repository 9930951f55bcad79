// Frames as bytes and back, in either of two encodings.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>

#include "frame/byte_buffer.hpp"
#include "frame/frame.hpp"

namespace chimera::frames {

/// What a peer sent is not a frame. what() says why and, where there is one, in which field.
class frame_error : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

enum class codec_id : std::uint8_t { json = 1, flatbuffers = 2 };

/// The bit of a codec in frame::codecs.
constexpr std::uint32_t bit_of(codec_id id) noexcept { return std::uint32_t{1} << static_cast<unsigned>(id); }
std::string_view name_of(codec_id id) noexcept;
/// Nothing: no codec has this name.
std::optional<codec_id> codec_named(std::string_view name) noexcept;

struct json_memory;

/// Memory that decoding needs, used again and again. A frame that was decoded into it is valid until the next decode.
class scratch {
  public:
    scratch();
    ~scratch();
    scratch(scratch&&) noexcept;
    scratch& operator=(scratch&&) noexcept;

    byte_buffer aligned;               ///< for input that does not lie at a multiple of 8
    std::unique_ptr<json_memory> json; ///< made when JSON is first read
};

/// One encoding. Has memory of its own that is used again, so: one thread at a time. The frames that it reads do not
/// depend on it.
class codec {
  public:
    virtual ~codec() = default;
    virtual codec_id id() const noexcept = 0;
    /// Appends one payload. The frame's views may not point into `out`. Throws std::invalid_argument, with nothing
    /// appended, where fault_of(f) finds one within the widest limits (text 4096 bytes, body 1 GiB / 4).
    virtual void encode(const frame& f, byte_buffer& out) = 0;
    /// Reads one payload, which is the whole of `bytes`. The frame's views point into `bytes` or `memory`; fault_of
    /// finds nothing in it. Throws frame_error for anything else. Takes memory in proportion to bytes.size(), which the
    /// caller limits (frame_splitter does).
    virtual frame decode(std::span<const std::byte> bytes, scratch& memory, const limits& most) const = 0;
};

/// How JSON has a body. Both are read by either.
enum class body_text : std::uint8_t {
    numbers, ///< [1,2,3]: what serde_json writes for a Vec<u8>
    base64,
};

std::unique_ptr<codec> make_json_codec(body_text body = body_text::numbers);
std::unique_ptr<codec> make_flatbuffers_codec();
std::unique_ptr<codec> make_codec(codec_id id, body_text body = body_text::numbers);

/// The widest limits, which encode() checks against.
inline constexpr limits widest{std::size_t{1} << 28, 4096, (std::size_t{1} << 30) + 32 * 1024};

} // namespace chimera::frames
