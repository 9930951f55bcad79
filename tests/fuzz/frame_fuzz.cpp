// frame_fuzz [--seed N] [--seconds N] [--only N] [--replay PATH]
// Streams of a coordinator's frames, and payloads of both codecs in sound headers, changed and cut at random, through
// splitter, codecs and fault_of: the same frames and the same fault whatever the cuts. What is read is without a fault,
// and each codec writes it so that it is read as the same frame again.
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <memory>
#include <string_view>

#include "corpus.hpp"
#include "frame/framing.hpp"
#include "fuzz_run.hpp"
#include "mutation.hpp"

using namespace chimera::fuzz;
namespace frames = chimera::frames;

namespace {

using namespace std::string_view_literals;

// Parts of frames in JSON and numbers of FlatBuffers. Whole streams are in corpus/frame.
constexpr std::array<std::string_view, 60> frame_tokens{"{",
                                                        "}",
                                                        "[",
                                                        "]",
                                                        ",",
                                                        ":",
                                                        "\"",
                                                        "\\",
                                                        "\\u0000",
                                                        "\\ud800",
                                                        "\\ud83d\\ude00",
                                                        "null",
                                                        "true",
                                                        "false",
                                                        "0",
                                                        "1",
                                                        "-1",
                                                        "1.0",
                                                        "1e3",
                                                        "01",
                                                        "255",
                                                        "256",
                                                        "4294967295",
                                                        "4294967296",
                                                        "18446744073709551615",
                                                        "18446744073709551616",
                                                        "\"kind\":\"hello\"",
                                                        "\"kind\":\"message\"",
                                                        "\"kind\":\"vote\"",
                                                        "\"kind\":1",
                                                        "\"from\":1,",
                                                        "\"phase\":3",
                                                        "\"outcome\":1",
                                                        "\"yes\":true",
                                                        "\"text\":\"a\"",
                                                        "\"body\":[1,2,255]",
                                                        "\"body\":\"AAkKY2T/\"",
                                                        "\"body\":\"/w==\"",
                                                        "\"digest\":\"\"",
                                                        "\"key\":\"\"",
                                                        "\"later\":{\"a\":[[[[[[[[[1]]]]]]]]]},",
                                                        "[[[[[[[[[[[[",
                                                        "=",
                                                        "==",
                                                        "AAAA",
                                                        "ffff",
                                                        "\0\0\0\0"sv,
                                                        "\xff\xff\xff\xff"sv,
                                                        "\x01\0\0\0"sv,
                                                        "\x04\0\0\0"sv,
                                                        "\x08\0\0\0"sv,
                                                        "\0\0\0\x80"sv,
                                                        "\xff\xff\xff\x7f"sv,
                                                        "\x04\0"sv,
                                                        "\x10\0"sv,
                                                        "\xff\xff"sv,
                                                        "CHMF",
                                                        "\x01\0\0\0\0\0\0\0"sv,
                                                        "\x08\0\0\0\x01\0\0\0"sv,
                                                        "\x40\0\0\0\x02\0\0\0"sv};

constexpr std::uint32_t both = frames::bit_of(frames::codec_id::json) | frames::bit_of(frames::codec_id::flatbuffers);

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A sound header, the payload and its padding.
std::string framed(std::string_view payload, frames::codec_id codec) {
    std::string text;
    for (int i = 0; i < 4; ++i) text += static_cast<char>(payload.size() >> (8 * i));
    text += static_cast<char>(codec);
    text.append(3, '\0');
    text += payload;
    text.append((8 - payload.size() % 8) % 8, '\0');
    return text;
}

/// The payloads of one codec in the corpus.
std::vector<std::string> payload_seeds(frames::codec_id codec) {
    std::vector<std::string> seeds;
    for (const std::string& stream : corpus_seeds("frame")) {
        frames::frame_splitter splitter{frames::limits{}};
        splitter.feed(bytes_of(stream));
        try {
            while (const auto found = splitter.next())
                if (found->codec == codec) seeds.push_back(text_of(found->bytes));
        } catch (const frames::frame_error&) {
        } // an input that once failed: what is before its fault
    }
    if (seeds.empty())
        throw std::runtime_error("corpus/frame has no payload of " + std::string(frames::name_of(codec)));
    return seeds;
}

struct input_stream {
    std::string bytes;
    std::vector<std::size_t> cuts;
    frames::limits most;
};

/// Each frame as the JSON that was written of it, and the fault at the end.
struct reading {
    std::vector<std::string> read;
    std::string fault, broken; // broken: a rule that did not hold
};

class frame_fuzzer final : public fuzzer {
  public:
    std::string iterate(random_source& random) override { return differences(draw(random)); }

    std::string replay(const std::string& bytes, random_source& random) override {
        for (int cut = 0; cut < 8; ++cut) {
            input_stream s{bytes, draw_cuts(bytes, random), cut % 2 == 0 ? frames::limits{} : small};
            if (std::string why = differences(s); !why.empty()) return why;
        }
        return "";
    }

    std::string input(random_source& random) override {
        const input_stream s = draw(random);
        std::string text =
            "  bodies of at most " + std::to_string(s.most.max_body) + " bytes: " + in_full(s.bytes) + "\n  cut at";
        for (const std::size_t at : s.cuts) text += " " + std::to_string(at);
        return text;
    }

  private:
    static constexpr frames::limits small{64, 32, 700};

    input_stream draw(random_source& random) const {
        input_stream s;
        if (one_in(random, 4)) {
            s.bytes = streams_.draw(random);
        } else {
            for (std::size_t n = 1 + below(random, 3); n > 0; --n) {
                if (one_in(random, 2))
                    s.bytes += framed(json_.draw(random), frames::codec_id::json);
                else
                    s.bytes += framed(flatbuffers_.draw(random), frames::codec_id::flatbuffers);
            }
        }
        s.cuts = draw_cuts(s.bytes, random);
        if (one_in(random, 4)) s.most = small;
        return s;
    }

    /// Each piece lies in memory of its very size and is gone when it is used up, so that a sanitizer sees each byte
    /// too far and each view that is kept.
    reading read(const input_stream& s, const std::vector<std::size_t>& cuts) {
        reading r;
        frames::frame_reader reader(s.most, both);
        const auto feed = [&](std::string_view piece) {
            const std::vector<char> exact(piece.begin(), piece.end());
            reader.feed(bytes_of({exact.data(), exact.size()}));
            while (const auto f = reader.next()) r.read.push_back(written(*f, s.most, r.broken));
        };
        try {
            std::size_t from = 0;
            for (const std::size_t cut : cuts) {
                feed(std::string_view(s.bytes).substr(from, cut - from));
                from = cut;
            }
            feed(std::string_view(s.bytes).substr(from));
            r.fault = reader.at_boundary() ? "" : "ends inside a frame";
        } catch (const frames::frame_error& e) {
            r.fault = e.what();
            if (r.fault.empty()) r.broken = "a fault without words";
        }
        return r;
    }

    /// Holds the frame against the rules, and returns its JSON.
    std::string written(const frames::frame& f, const frames::limits& most, std::string& broken) {
        if (const std::string fault = fault_of(f, most); !fault.empty()) broken = "read with a fault: " + fault;
        std::string json;
        for (const auto& with : codecs_) {
            written_.clear();
            with->encode(f, written_);
            if (json.empty()) json = text_of(written_.bytes());
            const frames::limits wide = frames::limits::for_body(most.max_body);
            if (!(with->decode(written_.bytes(), memory_, wide) == f))
                broken = "written by " + std::string(name_of(with->id())) + " and read, it is another frame: " + json;
        }
        return json;
    }

    std::string differences(const input_stream& s) {
        const reading whole = read(s, {}), cut = read(s, s.cuts);
        for (const reading* one : {&whole, &cut})
            if (!one->broken.empty()) return one->broken;
        if (whole.read != cut.read)
            return "whole: " + std::to_string(whole.read.size()) + " frames, cut: " + std::to_string(cut.read.size()) +
                   ", or others";
        if (whole.fault != cut.fault) return "whole: " + whole.fault + "\n  cut:   " + cut.fault;
        return "";
    }

    const mutator streams_{corpus_seeds("frame"), frame_tokens};
    const mutator json_{payload_seeds(frames::codec_id::json), frame_tokens};
    const mutator flatbuffers_{payload_seeds(frames::codec_id::flatbuffers), frame_tokens};
    const std::array<std::unique_ptr<frames::codec>, 3> codecs_{frames::make_json_codec(),
                                                                frames::make_json_codec(frames::body_text::base64),
                                                                frames::make_flatbuffers_codec()};
    frames::byte_buffer written_;
    frames::scratch memory_;
};

} // namespace

int main(int argc, char** argv) {
    try {
        const run_options options = parse_options(argc, argv, "");
        return run("frame_fuzz", options, [] { return std::make_unique<frame_fuzzer>(); });
    } catch (const std::exception& e) {
        std::fprintf(stderr, "frame_fuzz: %s\n", e.what());
        return 2;
    }
}
