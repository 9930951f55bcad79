// The JSON of a frame: {"kind":"vote","from":1,...,"key":""}. All fields, in the order of field_names, without blanks:
// what serde_json writes for a struct of these fields with Vec<u8> for the body, String for the text and hex in Strings
// for digest, signature and key.
#pragma once

#include <simdjson.h>

#include "frame/codec.hpp"

namespace chimera::frames {

/// What reading JSON needs.
struct json_memory {
    simdjson::ondemand::parser parser;
    byte_buffer input; ///< with the padding that the parser reads
    byte_buffer body;
    std::array<std::byte, digest_size> digest;
    std::array<std::byte, signature_size> signature;
    std::array<std::byte, key_size> key;
};

/// Appends the JSON of a frame without a fault.
void write_json(const frame& f, body_text body, byte_buffer& out);

/// Reads the whole of `text`. Keys may come in any order; unknown ones are passed over, up to a depth of 8. A key that
/// is there twice or not at all is a fault. fault_of is the caller's. Throws frame_error.
frame read_json(std::span<const std::byte> text, json_memory& memory, const limits& most);

} // namespace chimera::frames
