// The head of one response, line by line.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chimera/abi/base.h"

namespace chimera::socket {

/// Status and header fields. Functions that take a line throw sdk::error(CHM_E_PROTO), which shows the line.
class response_head {
  public:
    /// Forgets everything; memory is reused.
    void clear() noexcept;

    /// False as soon as `bytes` cannot be the beginning of a status line; true for too few of them.
    static bool may_begin(std::string_view bytes) noexcept;
    /// Throws what status_line() throws for a line of which may_begin() says that it is none; shows its first bytes.
    [[noreturn]] static void refuse_beginning(std::string_view bytes);
    /// How many bytes refuse_beginning() needs, to say the same with any number of bytes more.
    static constexpr std::size_t telling_bytes = 32;

    /// "HTTP/1.1 200 OK", also without the reason, and without the blank before it.
    void status_line(std::string_view line);
    /// "Name: value", or the continuation of the field before it (RFC 9112 5.2), which is joined to it by a blank.
    void field_line(std::string_view line);

    /// 0 before status_line().
    std::int32_t status() const noexcept { return status_; }
    /// The y of HTTP/1.y.
    int minor_version() const noexcept { return minor_version_; }
    /// In the order in which they came; valid until the next call of a function that is not const.
    std::span<const chm_kv> fields();

  private:
    struct field {
        std::size_t at, name, value; // place in text_, lengths
    };

    std::int32_t status_ = 0;
    int minor_version_ = 0;
    std::string text_;
    std::vector<field> places_;
    std::vector<chm_kv> fields_;
};

/// Throws what response_head::field_line() throws. follows: a field comes before this line. For trailers, which nobody
/// keeps.
void check_field_line(std::string_view line, bool follows);

} // namespace chimera::socket
