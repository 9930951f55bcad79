#pragma once

#include "protocol/padded_buffer.hpp"

#include <cstddef>
#include <string_view>

namespace chimera::host {

/// Cuts a body that arrives in arbitrary pieces into lines. A line that lies whole in one piece is passed on where it
/// lies; only a line that spans pieces is copied.
class line_splitter {
  public:
    enum class outcome { more, stopped, oversized };

    /// What ends a line. `any`: CRLF, LF or CR, as in server-sent events. A line then ends with its CR at once, even
    /// where a piece ends there. Lines of one piece that end with a CR are passed on joined, if a LF follows somewhere:
    /// the receiver looks for CRs in the rare line that it cannot read, instead of this loop in all of them.
    enum class ends : bool { lf, any };

    /// Lines of more than `limit` bytes are `oversized`, as soon as that is known.
    explicit line_splitter(std::size_t limit) noexcept : limit_(limit) {}

    /// Calls `on_line(record_view)` for every line that `piece` completes, until it returns false (`stopped`).
    /// The view is without its line end and valid as long as `piece` is, or, for a line that spans pieces, until
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

    /// At the end of the body: passes on what stands behind the last line end, if anything does.
    template <class F>
    void flush(F&& on_line) {
        if (partial_.empty()) return;
        on_line(without_cr(partial_.view()));
        partial_.clear();
    }

    /// Whether a line has begun and not ended.
    bool within_line() const noexcept { return !partial_.empty(); }

    /// After `oversized`: the beginning of that line, valid as long as the piece is.
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
    bool after_cr_ = false; ///< the last piece ended with a CR: a LF at the beginning of the next belongs to it
};

} // namespace chimera::host
