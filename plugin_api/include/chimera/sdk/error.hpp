// Errors on both sides of the plugin's boundary: an exception inside, a result code with a caller-owned message across
// it.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "../abi/base.h"

namespace chimera::sdk {

/// A failure with its result code. Never leaves a plugin: guarded() turns it into a code and a message.
class error : public std::runtime_error {
  public:
    /// code: CHM_E_*.
    error(chm_rc code, const std::string& message) : std::runtime_error(message), code_(code) {}
    /// CHM_E_*, negative.
    chm_rc code() const noexcept { return code_; }

  private:
    chm_rc code_;
};

/// Writes `message` into the caller's buffer, cut to its capacity at a UTF-8 boundary. Returns `code`, so that a
/// failing function ends with `return fail(err, CHM_E_IO, "...")`.
inline chm_rc fail(chm_error* err, chm_rc code, std::string_view message) noexcept {
    if (err != nullptr && err->text != nullptr && err->cap > 0) {
        std::size_t n = std::min(message.size(), err->cap - 1);
        while (n > 0 && n < message.size() && (static_cast<unsigned char>(message[n]) & 0xC0U) == 0x80U) --n;
        std::memcpy(err->text, message.data(), n);
        err->text[n] = '\0';
    }
    return code;
}

/// Runs f() and returns its chm_rc; an exception becomes a code and a message. Every SDK thunk goes through here, so
/// nothing unwinds across the boundary.
template <class F>
chm_rc guarded(chm_error* err, F&& f) noexcept {
    try {
        return f();
    } catch (const error& e) {
        return fail(err, e.code() < 0 ? e.code() : CHM_E_FAIL, e.what());
    } catch (const std::bad_alloc&) {
        return fail(err, CHM_E_NOMEM, "out of memory");
    } catch (const std::exception& e) {
        return fail(err, CHM_E_FAIL, e.what());
    } catch (...) {
        return fail(err, CHM_E_FAIL, "unknown exception");
    }
}

/// A message buffer for calls across the boundary, and the exception made of it.
class error_buffer {
  public:
    error_buffer() noexcept { text_[0] = '\0'; } // the rest stays as it is: this is made for every piece of a body
    /// To be passed as the chm_error argument; valid as long as this object.
    chm_error* abi() noexcept {
        text_[0] = '\0';
        abi_ = {text_.data(), text_.size()};
        return &abi_;
    }
    /// The text that the callee wrote; may be empty.
    std::string_view text() const noexcept { return text_.data(); }
    /// Throws an error when rc is negative.
    void check(chm_rc rc) const {
        if (rc < 0) throw error(rc, text_[0] != '\0' ? std::string(text()) : "error " + std::to_string(rc));
    }

    /// The exception that check() throws; null when rc is not negative. For callers that cannot keep the buffer until
    /// then.
    std::exception_ptr exception(chm_rc rc) const noexcept {
        try {
            check(rc);
        } catch (...) {
            return std::current_exception();
        }
        return nullptr;
    }

  private:
    std::array<char, 512> text_;
    chm_error abi_{};
};

} // namespace chimera::sdk
