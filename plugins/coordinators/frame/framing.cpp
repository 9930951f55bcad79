#include "frame/framing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace chimera::frames {

namespace {

constexpr std::size_t padded(std::size_t size) noexcept { return (size + alignment - 1) / alignment * alignment; }

bool always_json(kind k) noexcept { return k == kind::hello || k == kind::welcome; }

} // namespace

frame_writer::frame_writer(body_text body) : json_(make_json_codec(body)), body_(body) {}

void frame_writer::use(codec_id id) { session_ = id == codec_id::json ? nullptr : make_codec(id, body_); }

void frame_writer::write(const frame& f, byte_buffer& out) {
    codec& with = session_ && !always_json(f.kind) ? *session_ : *json_;
    const std::size_t at = out.size();
    out.append(header_size);
    try {
        with.encode(f, out);
    } catch (...) {
        out.truncate(at);
        throw;
    }
    const std::size_t size = out.size() - at - header_size;
    const std::size_t padding = padded(size) - size;
    std::fill_n(out.append(padding), padding, std::byte{});
    std::byte* const head = out.data() + at;
    for (std::size_t i = 0; i < 4; ++i) head[i] = static_cast<std::byte>(size >> (8 * i));
    head[4] = static_cast<std::byte>(with.id());
    std::fill_n(head + 5, 3, std::byte{});
}

frame_splitter::header frame_splitter::read_header(std::span<const std::byte, header_size> bytes) const {
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size |= std::to_integer<std::size_t>(bytes[i]) << (8 * i);
    if (size == 0 || size > max_frame_)
        throw frame_error(fmt::format("header: a payload of {} bytes, not 1 to {}", size, max_frame_));
    const auto codec = static_cast<codec_id>(bytes[4]);
    if (codec != codec_id::json && codec != codec_id::flatbuffers)
        throw frame_error(fmt::format("header: there is no codec {}", std::to_integer<int>(bytes[4])));
    if (bytes[5] != std::byte{}) throw frame_error("header: flags that are not known");
    if (bytes[6] != std::byte{} || bytes[7] != std::byte{}) throw frame_error("header: reserved bytes are not 0");
    return {size, padded(size), codec};
}

/// Moves bytes of the piece to collected_ until this has `size`. False: there were not enough.
bool frame_splitter::collect(std::size_t size) {
    if (collected_.size() < size) {
        const std::size_t n = std::min(size - collected_.size(), piece_.size());
        collected_.append(piece_.first(n));
        piece_ = piece_.subspan(n);
    }
    return collected_.size() >= size;
}

payload frame_splitter::whole(std::span<const std::byte> bytes, const header& head) const {
    const auto padding = bytes.subspan(header_size + head.payload);
    if (std::ranges::any_of(padding, [](std::byte b) { return b != std::byte{}; })) throw frame_error("padding: not 0");
    return {head.codec, bytes.subspan(header_size, head.payload)};
}

std::optional<payload> frame_splitter::next() {
    if (!fault_.empty()) throw frame_error(fault_);
    try {
        if (returned_) collected_.clear();
        returned_ = false;
        if (collected_.empty() && piece_.size() >= header_size) {
            const header head = read_header(piece_.first<header_size>());
            const std::size_t size = header_size + head.padded;
            if (piece_.size() >= size && reinterpret_cast<std::uintptr_t>(piece_.data()) % alignment == 0) {
                const auto bytes = piece_.first(size);
                piece_ = piece_.subspan(size);
                return whole(bytes, head);
            }
        }
        if (!collect(header_size)) return std::nullopt;
        const header head = read_header(collected_.bytes().first<header_size>());
        if (!collect(header_size + head.padded)) return std::nullopt;
        returned_ = true;
        return whole(collected_.bytes(), head);
    } catch (const frame_error& e) {
        fault_ = e.what();
        throw;
    }
}

frame_reader::frame_reader(const limits& most, std::uint32_t accepted)
    : limits_(most), accepted_(accepted | bit_of(codec_id::json)), splitter_(most), json_(make_json_codec()),
      flatbuffers_(make_flatbuffers_codec()) {}

std::optional<frame> frame_reader::next() {
    if (!fault_.empty()) throw frame_error(fault_);
    try {
        const auto found = splitter_.next();
        if (!found) return std::nullopt;
        if ((accepted_ & bit_of(found->codec)) == 0)
            throw frame_error(fmt::format("header: the codec {} was not agreed on", name_of(found->codec)));
        const codec& by = found->codec == codec_id::json ? *json_ : *flatbuffers_;
        frame f = by.decode(found->bytes, scratch_, limits_);
        if (always_json(f.kind) && found->codec != codec_id::json)
            throw frame_error(fmt::format("{}: only JSON may have it", rule_of(f.kind)->name));
        return f;
    } catch (const frame_error& e) {
        fault_ = e.what();
        throw;
    }
}

} // namespace chimera::frames
