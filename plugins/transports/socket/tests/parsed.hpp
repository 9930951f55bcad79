// A response given to the parser in pieces, as receives would bring them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chimera/abi/base.h"
#include "response_parser.hpp"

namespace chimera::socket::test {

/// What the parser made of it.
struct parsed {
    chm_rc rc = CHM_OK; ///< negative: the error
    std::string error;
    int status = 0; ///< 0: no final head
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    bool done = false;
    bool keep_alive = false;
    std::size_t left = 0; ///< bytes behind the response
    bool operator==(const parsed&) const = default;
    std::string header(std::string_view name) const;
};

struct parse_options {
    response_limits limits{65536, 1 << 24};
    bool head_request = false;
    bool then_closed = false; ///< the peer closes behind the last byte
};

/// cuts: places in the message, in their order, at which one piece ends and the next begins.
parsed parse(std::string_view message, const std::vector<std::size_t>& cuts = {}, const parse_options& how = {});
/// At every byte.
std::vector<std::size_t> every_byte(std::string_view message);
/// At some, drawn from the seed.
std::vector<std::size_t> random_cuts(std::string_view message, std::uint32_t seed);
/// Parses whole, cut once at each byte, in single bytes, and cut at random places. CHECKs that all give the same.
parsed parse_every_way(std::string_view message, const parse_options& how = {});

} // namespace chimera::socket::test
