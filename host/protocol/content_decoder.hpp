#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace chimera::host {

/// A body decodes to more than the limit.
class decoded_too_long : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Undoes the Content-Encoding of one response body, piece by piece: gzip (also of several members), or deflate with a
/// zlib header (as the standard says) or without one (as some servers send it). One thread at a time.
class content_decoder {
  public:
    /// content_encoding: the value of the header. Returns nullptr if there is nothing to decode (empty, `identity`). A
    /// body that decodes to more than `most_bytes` is an error: decoded_too_long. Throws std::runtime_error, with the
    /// header's value, for any other encoding and for several at once.
    static std::unique_ptr<content_decoder> of(std::string_view content_encoding, std::uint64_t most_bytes);

    content_decoder(const content_decoder&) = delete;
    content_decoder& operator=(const content_decoder&) = delete;
    ~content_decoder();

    /// Calls `on_piece(std::string_view)` with all data that can be decoded with `piece`; each piece is valid during
    /// the call. Bytes after the end of the encoded data are ignored. Throws std::runtime_error when the data is
    /// corrupt or too long. After that, or after on_piece threw, the decoder must not be used again.
    template <class F>
    void decode(std::string_view piece, F&& on_piece) {
        take(piece);
        for (std::string_view decoded = next(); !decoded.empty(); decoded = next()) on_piece(decoded);
    }

    /// At the end of the body: throws std::runtime_error if the encoded data did not end. An empty body is not an
    /// error.
    void finish() const;

    /// "gzip" or "deflate".
    std::string name() const;

  private:
    struct inflater;
    content_decoder(bool gzip, std::uint64_t most_bytes);

    void take(std::string_view piece);
    std::string_view next();
    bool begin();
    [[noreturn]] void fail(std::string_view what) const;

    std::unique_ptr<inflater> inflater_;
    std::string_view input_;    ///< of the current piece, not yet decoded
    std::uint64_t decoded_ = 0; ///< bytes handed out
    std::uint64_t most_bytes_;
    bool gzip_;
};

} // namespace chimera::host
