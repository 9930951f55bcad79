// The head of one response, line by line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http1/message_head.hpp"

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
    /// "Name: value", or the continuation of the field before it.
    void field_line(std::string_view line) { fields_.add(line); }

    /// 0 before status_line().
    std::int32_t status() const noexcept { return status_; }
    /// The y of HTTP/1.y.
    int minor_version() const noexcept { return minor_version_; }
    http1::field_list& fields() noexcept { return fields_; }
    const http1::field_list& fields() const noexcept { return fields_; }

  private:
    std::int32_t status_ = 0;
    int minor_version_ = 0;
    http1::field_list fields_;
};

} // namespace chimera::socket
