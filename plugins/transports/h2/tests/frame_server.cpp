#include "frame_server.hpp"

#include <cstddef>

namespace chimera::h2::test {

std::uint32_t frame::number() const noexcept {
    std::uint32_t n = 0;
    for (std::size_t i = 0; i < 4 && i < payload.size(); ++i) n = (n << 8U) | static_cast<unsigned char>(payload[i]);
    return n;
}

std::string big_endian(std::uint32_t number) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> static_cast<unsigned>(shift));
    return bytes;
}

std::string framed(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
    std::string bytes = big_endian(static_cast<std::uint32_t>(payload.size())).substr(1);
    bytes += static_cast<char>(type);
    bytes += static_cast<char>(flags);
    return bytes + big_endian(stream) + std::string(payload);
}

std::string ok_head(std::uint32_t stream, bool last) {
    const auto flags = static_cast<std::uint8_t>(END_HEADERS | (last ? END_STREAM : 0));
    return framed(HEADERS, flags, stream, "\x88"); // entry 8 of HPACK's static table
}

std::string data(std::uint32_t stream, std::string_view bytes, bool last) {
    return framed(DATA, last ? END_STREAM : 0, stream, bytes);
}

void peer::greet(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings) {
    char preface[24];
    wire_.read(preface, sizeof preface);
    std::string entries;
    for (const auto& [id, value] : settings) entries += big_endian(id).substr(2) + big_endian(value);
    send(framed(SETTINGS, 0, 0, entries));
}

frame peer::next() {
    unsigned char head[9];
    frame f;
    if (!wire_.read(reinterpret_cast<char*>(head), sizeof head)) return f;
    f.payload.resize((std::size_t{head[0]} << 16U) | (std::size_t{head[1]} << 8U) | head[2]);
    if (!wire_.read(f.payload.data(), f.payload.size())) return f;
    f.type = head[3];
    f.flags = head[4];
    f.stream =
        (std::uint32_t{head[5]} << 24U) | (std::uint32_t{head[6]} << 16U) | (std::uint32_t{head[7]} << 8U) | head[8];
    if (f.type == SETTINGS && !(f.flags & ACK)) send(framed(SETTINGS, ACK, 0, {}));
    if (f.type == DATA) body_bytes_ += f.payload.size();
    return f;
}

frame peer::next(std::uint8_t type) {
    for (;;) {
        frame f = next();
        if (f.closed() || f.type == type) return f;
    }
}

std::uint32_t peer::request() {
    frame f = next(HEADERS);
    if (f.closed()) return 0;
    const std::uint32_t id = f.stream;
    while (!(f.flags & END_STREAM)) {
        f = next(DATA);
        if (f.closed()) return 0;
    }
    return id;
}

} // namespace chimera::h2::test
