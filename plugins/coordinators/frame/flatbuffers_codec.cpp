// FlatBuffers, read where they lie.
#include <algorithm>
#include <bit>
#include <cstring>

#include "frame/codec.hpp"
#include "frame_generated.h"

namespace chimera::frames {

namespace {

using bytes = std::span<const std::byte>;

const std::uint8_t* unsigned_bytes(const void* at) noexcept { return static_cast<const std::uint8_t*>(at); }

template <class Struct>
Struct copied(bytes from) noexcept {
    static_assert(alignof(Struct) == 1);
    std::array<std::byte, sizeof(Struct)> copy;
    std::memcpy(copy.data(), from.data(), copy.size());
    return std::bit_cast<Struct>(copy);
}

template <class Struct>
bytes view_of(const Struct* there) noexcept {
    return there == nullptr ? bytes{} : std::as_bytes(std::span(there, 1));
}

class flatbuffers_codec final : public codec {
  public:
    flatbuffers_codec() : builder_(4096) { builder_.DedupVtables(false); }

    codec_id id() const noexcept override { return codec_id::flatbuffers; }

    void encode(const frame& f, byte_buffer& out) override {
        if (const std::string fault = fault_of(f, widest); !fault.empty()) throw std::invalid_argument(fault);
        builder_.Clear();
        // From the end to the beginning. The body, which is the last part of the payload, gets its place in the builder
        // but is copied from where it is straight to `out`.
        flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> body;
        std::size_t from_body_on = 0;
        if (!f.body.empty()) {
            std::uint8_t* place = nullptr;
            builder_.ForceVectorAlignment(f.body.size(), 1, 8);
            body = builder_.CreateUninitializedVector(f.body.size(), &place);
            from_body_on = builder_.GetSize() - sizeof(flatbuffers::uoffset_t); // its length is before it
        }
        flatbuffers::Offset<flatbuffers::String> text;
        if (!f.text.empty()) text = builder_.CreateString(f.text.data(), f.text.size());

        const wire::frame_head head(f.time_ns, f.time2_ns, f.number, f.sequence, f.epoch, f.incarnation, f.from, f.to,
                                    f.channel, f.codecs, f.max_message, f.votes_for, f.votes_against,
                                    static_cast<std::uint8_t>(f.kind), f.phase, f.decision_class, f.outcome,
                                    f.yes ? 1 : 0);
        wire::frameBuilder table(builder_);
        table.add_head(&head);
        if (!f.signature.empty()) add(table, &wire::frameBuilder::add_signature, copied<wire::bytes64>(f.signature));
        if (!f.digest.empty()) add(table, &wire::frameBuilder::add_digest, copied<wire::bytes32>(f.digest));
        if (!f.key.empty()) add(table, &wire::frameBuilder::add_key, copied<wire::bytes32>(f.key));
        table.add_body(body);
        table.add_text(text);
        wire::FinishframeBuffer(builder_, table.Finish());

        const bytes built = std::as_bytes(std::span(builder_.GetBufferPointer(), builder_.GetSize()));
        std::byte* const to = out.append(built.size());
        const std::size_t before_body = built.size() - from_body_on, padding = from_body_on - f.body.size();
        std::memcpy(to, built.data(), before_body);
        if (!f.body.empty()) std::memcpy(to + before_body, f.body.data(), f.body.size());
        std::fill_n(to + before_body + f.body.size(), padding, std::byte{});
    }

    frame decode(bytes input, scratch& memory, const limits& most) const override {
        if (input.size() > most.max_frame) throw frame_error("FlatBuffers: longer than a frame may be");
        if (reinterpret_cast<std::uintptr_t>(input.data()) % 8 != 0) {
            memory.aligned.clear();
            memory.aligned.append(input);
            input = memory.aligned.bytes();
        }
        flatbuffers::Verifier::Options options;
        options.max_depth = 1;
        options.max_tables = 1;
        flatbuffers::Verifier verifier(unsigned_bytes(input.data()), input.size(), options);
        if (!wire::VerifyframeBuffer(verifier)) throw frame_error("FlatBuffers: offsets or lengths are wrong");

        const wire::frame& read = *wire::Getframe(input.data());
        const wire::frame_head& n = *read.head();
        if (n.yes() > 1) throw frame_error("yes: neither 0 nor 1");
        frame f;
        f.kind = static_cast<kind>(n.kind());
        f.from = n.from();
        f.to = n.to();
        f.channel = n.channel();
        f.number = n.number();
        f.sequence = n.sequence();
        f.time_ns = n.time_ns();
        f.time2_ns = n.time2_ns();
        f.epoch = n.epoch();
        f.incarnation = n.incarnation();
        f.phase = n.phase();
        f.decision_class = n.decision_class();
        f.outcome = n.outcome();
        f.yes = n.yes() == 1;
        f.codecs = n.codecs();
        f.max_message = n.max_message();
        f.votes_for = n.votes_for();
        f.votes_against = n.votes_against();
        if (const auto* text = read.text()) f.text = {text->c_str(), text->size()};
        if (const auto* body = read.body()) f.body = std::as_bytes(std::span(body->data(), body->size()));
        f.digest = view_of(read.digest());
        f.signature = view_of(read.signature());
        f.key = view_of(read.key());
        if (const std::string fault = fault_of(f, most); !fault.empty()) throw frame_error(fault);
        return f;
    }

  private:
    template <class Struct>
    static void add(wire::frameBuilder& table, void (wire::frameBuilder::*to)(const Struct*), const Struct& value) {
        (table.*to)(&value);
    }

    flatbuffers::FlatBufferBuilder builder_;
};

} // namespace

std::unique_ptr<codec> make_flatbuffers_codec() { return std::make_unique<flatbuffers_codec>(); }

} // namespace chimera::frames
