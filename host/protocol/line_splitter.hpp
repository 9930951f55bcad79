// The bytes of a reply's body, cut into lines.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace chimera::host {

/// The number of bytes that a JSON parser may read (never interpret) after the end of a record.
inline constexpr std::size_t record_padding = 64;

/// A piece of text with `slack` readable bytes after it. A line has at least one: its line end, or a 0.
struct record_view {
    std::string_view text;
    std::size_t slack = 0;
};

/// A growing byte buffer with always record_padding readable bytes after its content. Keeps its memory on clear.
class padded_buffer {
  public:
    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }
    record_view view() const noexcept { return {{bytes_.get(), size_}, record_padding}; }

    void append(std::string_view piece) {
        if (piece.empty()) return;
        if (size_ + piece.size() > capacity_) grow(size_ + piece.size());
        std::memcpy(bytes_.get() + size_, piece.data(), piece.size());
        size_ += piece.size();
        std::memset(bytes_.get() + size_, 0, record_padding);
    }

    void clear() noexcept { size_ = 0; }

    /// Clears and gives the memory back.
    void release() noexcept {
        bytes_.reset();
        size_ = 0;
        capacity_ = 0;
    }

  private:
    void grow(std::size_t needed) {
        const std::size_t capacity = std::max({needed, capacity_ * 2, std::size_t{448}});
        auto bytes = std::make_unique<char[]>(capacity + record_padding);
        if (size_ != 0) std::memcpy(bytes.get(), bytes_.get(), size_);
        bytes_ = std::move(bytes);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

/// Cuts a body that arrives in arbitrary pieces into lines. A line that lies whole in one piece is passed on in place;
/// only a line that spans pieces is copied.
class line_splitter {
  public:
    enum class outcome { more, stopped, oversized };

    /// The line ends to look for. `any`: CRLF, LF or CR, as in server-sent events. A line then ends at its CR at once,
    /// even at the end of a piece. Within one piece, lines that end with a CR are passed on joined if a LF follows
    /// later: the receiver looks for a CR only in a line that it cannot read, which keeps the search out of this loop.
    enum class ends : bool { lf, any };

    /// A line of more than `limit` bytes gives `oversized`, as soon as its length is known to be over the limit.
    explicit line_splitter(std::size_t limit) noexcept : limit_(limit) {}

    /// Calls `on_line(record_view)` for each line that `piece` completes, until it returns false (`stopped`). The view
    /// does not include the line end. It is valid as long as `piece` is; for a line that spans pieces, only until
    /// on_line returns.
    template <ends Ends, class F>
    outcome feed(std::string_view piece, F&& on_line) {
        if (Ends == ends::any && after_cr_ && !piece.empty()) {
            after_cr_ = false;
            if (piece.front() == '\n') piece.remove_prefix(1);
        }
        while (!piece.empty()) {
            std::size_t end = piece.find('\n');
            if (Ends == ends::any && (end == std::string_view::npos || partial_.size() + end > limit_)) {
                const std::size_t cr = piece.substr(0, end).find('\r');
                if (cr != std::string_view::npos && cr + 1 != end) {
                    end = cr;
                    after_cr_ = cr + 1 == piece.size();
                }
            }
            const std::string_view head = piece.substr(0, end);
            if (partial_.size() + head.size() > limit_) {
                rejected_ = partial_.empty() ? head : partial_.view().text;
                return outcome::oversized;
            }
            if (end == std::string_view::npos) {
                partial_.append(head);
                return outcome::more;
            }
            piece.remove_prefix(end + 1);
            bool go_on = true;
            if (partial_.empty()) {
                go_on = on_line(without_cr({head, piece.size() + 1}));
            } else {
                partial_.append(head);
                go_on = on_line(without_cr(partial_.view()));
                partial_.clear();
            }
            if (!go_on) return outcome::stopped;
        }
        return outcome::more;
    }

    /// At the end of the body: passes on the text after the last line end, if there is any.
    template <class F>
    void flush(F&& on_line) {
        if (partial_.empty()) return;
        on_line(without_cr(partial_.view()));
        partial_.clear();
    }

    /// Whether a line has begun and not ended.
    bool within_line() const noexcept { return !partial_.empty(); }

    /// After `oversized`: the beginning of that line. Valid as long as the piece is.
    std::string_view rejected() const noexcept { return rejected_; }

    void reset() noexcept {
        partial_.release();
        rejected_ = {};
        after_cr_ = false;
    }

  private:
    static record_view without_cr(record_view line) noexcept {
        if (line.text.ends_with('\r')) {
            line.text.remove_suffix(1);
            ++line.slack;
        }
        return line;
    }

    padded_buffer partial_; ///< the line begun and not yet ended
    std::string_view rejected_;
    std::size_t limit_;
    bool after_cr_ = false; ///< the last piece ended with a CR: a LF at the beginning of the next one belongs to it
};

} // namespace chimera::host
