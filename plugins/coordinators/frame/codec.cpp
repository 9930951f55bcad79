#include "frame/codec.hpp"

#include "frame/json_codec.hpp"

namespace chimera::frames {

namespace {

class json_codec final : public codec {
  public:
    explicit json_codec(body_text body) noexcept : body_(body) {}

    codec_id id() const noexcept override { return codec_id::json; }

    void encode(const frame& f, byte_buffer& out) override {
        if (const std::string fault = fault_of(f, widest); !fault.empty()) throw std::invalid_argument(fault);
        write_json(f, body_, out);
    }

    frame decode(std::span<const std::byte> bytes, scratch& memory, const limits& most) const override {
        if (bytes.size() > most.max_frame) throw frame_error("JSON: longer than a frame may be");
        if (!memory.json) memory.json = std::make_unique<json_memory>();
        const frame f = read_json(bytes, *memory.json, most);
        if (const std::string fault = fault_of(f, most); !fault.empty()) throw frame_error(fault);
        return f;
    }

  private:
    body_text body_;
};

} // namespace

scratch::scratch() = default;
scratch::~scratch() = default;
scratch::scratch(scratch&&) noexcept = default;
scratch& scratch::operator=(scratch&&) noexcept = default;

std::string_view name_of(codec_id id) noexcept { return id == codec_id::json ? "json" : "flatbuffers"; }

std::optional<codec_id> codec_named(std::string_view name) noexcept {
    for (const codec_id id : {codec_id::json, codec_id::flatbuffers})
        if (name == name_of(id)) return id;
    return std::nullopt;
}

std::unique_ptr<codec> make_json_codec(body_text body) { return std::make_unique<json_codec>(body); }

std::unique_ptr<codec> make_codec(codec_id id, body_text body) {
    return id == codec_id::json ? make_json_codec(body) : make_flatbuffers_codec();
}

} // namespace chimera::frames
