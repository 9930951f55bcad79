// One request and its response: a curl transfer, seen through the contract's polls.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <chimera/abi/timing.h>
#include <chimera/sdk/plugin.hpp>
#include <curl/curl.h>

#include "multi_driver.hpp"
#include "response.hpp"
#include "transport.hpp"
#include "url.hpp"

namespace chimera::curl {

/// Part of its session and used again for each request. Delivered bytes are handed over before curl runs again. So a
/// slow reader leaves further bytes in the kernel and slows the sender down.
class exchange final : public sdk::exchange_base<exchange> {
  public:
    /// Borrows everything for its life.
    exchange(const settings& options, const base_url& base, multi_driver& driver) noexcept
        : options_(options), base_(base), driver_(driver),
          encrypted_(base.tls || options.proxies.of(base.tls).url.starts_with("https:")) {}
    /// [closed] Takes this handle for the next exchange and points its callbacks here; borrowed until another is
    /// adopted. Throws sdk::error.
    void adopt(CURL* easy);

    /// [closed; the easy handle has the request] Begins. Throws sdk::error.
    void begin(std::string_view method, std::string_view path, std::size_t body_size);
    bool open() const noexcept { return open_; }

    /// See chm_exchange_vt.
    sdk::poll_result poll_head(chm_waker* waker, chm_head& head);
    sdk::poll_result poll_chunk(chm_waker* waker, chm_str& view);
    void close() noexcept;

    static const chm_timing_ext timing_extension;

  private:
    static std::size_t on_header(char* line, std::size_t, std::size_t size, void* self) noexcept;
    static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept;
    static curl_socket_t on_open_socket(void* self, curlsocktype, curl_sockaddr* address) noexcept;
    static int on_connected(void* self, char*, char*, int, int) noexcept;
    static int on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* self) noexcept;
    static void read_timing(const chm_exchange* x, chm_exchange_timing* out) noexcept;

    template <class Ready>
    bool ready_or_pending(Ready ready, chm_waker* waker);
    template <class Ready>
    bool drive_until(Ready ready, chm_waker* waker);
    void resume();
    void take_result();
    std::string cause_of(CURLcode result, chm_rc code) const;
    bool head_is_too_large() const noexcept;
    bool has_lost_line(bool curl_failed) const noexcept;
    void take_body(std::string_view bytes);
    void end_connection() noexcept;
    bool reads_head() const noexcept;
    bool body_complete() const noexcept;
    void note(multi_driver::turned turned);
    std::int64_t start_of_transfer() const noexcept;
    std::uint64_t deadline(std::uint64_t now) noexcept;
    void refuse(chm_rc code, const char* why) noexcept;
    void fail(chm_rc code, std::string_view why);
    const char* phase() const noexcept;

    const settings& options_;
    const base_url& base_;
    multi_driver& driver_;
    const bool encrypted_; // the bytes on the socket are those of TLS
    CURL* easy_ = nullptr;

    // State of the exchange in hand.
    bool open_ = false;
    bool head_taken_ = false;
    bool paused_ = false;
    bool done_ = false;                // the response is complete
    bool received_ = false;            // curl called back with bytes since the last turn
    std::optional<sdk::error> failed_; // every later poll says the same
    chm_rc refused_code_ = CHM_OK;     // a callback's own reason to end the transfer
    std::string refused_why_;
    std::string what_; // "POST http://host/path", without the query
    std::array<char, CURL_ERROR_SIZE> curl_text_{};
    response_head head_;
    std::string ahead_; // the response as curl read it, until the head is complete
    chunk_reader chunks_;
    std::uint64_t body_received_ = 0;
    piece_queue pieces_;

    // Timing; CLOCK_MONOTONIC, ns.
    std::size_t body_size_ = 0, body_sent_ = 0;
    std::uint32_t attempts_ = 0;
    std::int64_t start_before_ = 0;     // start_of_transfer() when the request was about to be sent
    std::uint64_t received_before_ = 0; // by the connection in use, when the request was about to be sent
    bool reused_ = false;
    std::uint64_t connected_ns_ = 0; // of the connection in use: outlives the exchange
    std::uint64_t ready_ns_ = 0;     // when this exchange had its connection
    std::uint64_t sent_ns_ = 0;
    std::uint64_t first_byte_ns_ = 0;
    std::uint64_t waiting_since_ns_ = 0; // 0: no wait since a byte went or came
};

} // namespace chimera::curl
