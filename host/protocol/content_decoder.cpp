#include "protocol/content_decoder.hpp"

#include "protocol/excerpt.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

namespace chimera::host {

namespace {

/// The names in the header, a comma-separated list, in lower case. Names that change nothing are left out: "identity",
/// and a few that recipes for event streams put there.
std::vector<std::string> codings_in(std::string_view header) {
    std::vector<std::string> names(1);
    for (const char c : lower_case(header)) {
        if (c == ',')
            names.emplace_back();
        else if (c != ' ' && c != '\t')
            names.back() += c;
    }
    std::erase_if(names, [](const std::string& name) {
        return name.empty() || name == "identity" || name == "none" || name == "utf-8" || name == "utf8" ||
               name == "binary";
    });
    return names;
}

constexpr int window = MAX_WBITS, gzip_wrapping = 16;

} // namespace

struct content_decoder::inflater {
    z_stream z{};
    bool open = false;          ///< inflateInit2 was called
    bool ended = false;         ///< at the end of a member
    bool past_end = false;      ///< the rest is not another member
    std::array<char, 2> head{}; ///< deflate: the bytes that show whether there is a zlib header
    std::size_t head_bytes = 0;
    std::size_t head_given = 0;     ///< of these, passed to zlib
    std::array<char, 16384> output; ///< handed out, piece by piece

    ~inflater() {
        if (open) inflateEnd(&z);
    }
};

std::unique_ptr<content_decoder> content_decoder::of(std::string_view content_encoding, std::uint64_t most_bytes) {
    const std::vector<std::string> names = codings_in(content_encoding);
    if (names.empty()) return nullptr;
    const bool gzip = names[0] == "gzip" || names[0] == "x-gzip";
    if (names.size() > 1 || (!gzip && names[0] != "deflate"))
        throw std::runtime_error(fmt::format(
            "Content-Encoding: {}: the server compressed the body in a way that cannot be read (only gzip or "
            "deflate can, one at a time); the request did not ask for compression",
            excerpt(content_encoding, 60)));
    return std::unique_ptr<content_decoder>(new content_decoder(gzip, most_bytes));
}

content_decoder::content_decoder(bool gzip, std::uint64_t most_bytes)
    : inflater_(std::make_unique<inflater>()), most_bytes_(most_bytes), gzip_(gzip) {}

content_decoder::~content_decoder() = default;

std::string content_decoder::name() const { return gzip_ ? "gzip" : "deflate"; }

void content_decoder::take(std::string_view piece) { input_ = piece; }

/// Chooses the format; false: more bytes are needed.
bool content_decoder::begin() {
    inflater& f = *inflater_;
    int bits = window + gzip_wrapping;
    if (!gzip_) {
        while (f.head_bytes < f.head.size() && !input_.empty()) {
            f.head[f.head_bytes++] = input_.front();
            input_.remove_prefix(1);
        }
        if (f.head_bytes < f.head.size()) return false;
        const unsigned first = static_cast<unsigned char>(f.head[0]), second = static_cast<unsigned char>(f.head[1]);
        const bool has_header = (first & 0x0FU) == Z_DEFLATED && (first * 256 + second) % 31 == 0;
        bits = has_header ? window : -window;
    } else if (input_.empty()) {
        return false;
    }
    if (inflateInit2(&f.z, bits) != Z_OK) throw std::bad_alloc();
    f.open = true;
    return true;
}

/// The next piece of decoded data; empty when the input is used up.
std::string_view content_decoder::next() {
    inflater& f = *inflater_;
    if (!f.open && !begin()) return {};
    for (;;) {
        if (f.past_end || (f.ended && input_.empty())) return {};
        if (f.ended) {
            constexpr char gzip_magic = 0x1f;
            if (!gzip_ || input_.front() != gzip_magic) {
                f.past_end = true;
                return {};
            }
            inflateReset(&f.z);
            f.ended = false;
        }
        const bool from_head = f.head_given < f.head_bytes;
        const std::string_view input =
            from_head ? std::string_view(f.head.data() + f.head_given, f.head_bytes - f.head_given) : input_;
        const std::size_t given = std::min<std::size_t>(input.size(), 1U << 30U);
        f.z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data())); // NOLINT: zlib only reads
        f.z.avail_in = static_cast<uInt>(given);
        f.z.next_out = reinterpret_cast<Bytef*>(f.output.data());
        f.z.avail_out = static_cast<uInt>(f.output.size());
        const int result = inflate(&f.z, Z_SYNC_FLUSH);
        const std::size_t used = given - f.z.avail_in, made = f.output.size() - f.z.avail_out;
        if (from_head)
            f.head_given += used;
        else
            input_.remove_prefix(used);
        if (result == Z_STREAM_END)
            f.ended = true;
        else if (result != Z_OK && result != Z_BUF_ERROR && made == 0) // data before the fault is handed out first
            fail(f.z.msg != nullptr ? f.z.msg : "corrupt data");
        decoded_ += made;
        if (decoded_ > most_bytes_)
            throw decoded_too_long(fmt::format("Content-Encoding: {}: it decodes to more than the limit of {} bytes",
                                               name(), most_bytes_));
        if (made != 0) return {f.output.data(), made};
        if (result == Z_BUF_ERROR && !from_head) return {};
    }
}

void content_decoder::finish() const {
    const inflater& f = *inflater_;
    if (f.ended || (!f.open && f.head_bytes == 0)) return;
    fail(fmt::format("the data was cut off after {} decoded bytes", decoded_));
}

void content_decoder::fail(std::string_view what) const {
    throw std::runtime_error(fmt::format("Content-Encoding: {}: {}", name(), what));
}

} // namespace chimera::host
