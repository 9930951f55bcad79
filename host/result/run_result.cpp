#include "result/run_result.hpp"

namespace chimera::host {

figure_definition definition_of(figure f, provenance from) {
    const metric_row& row = row_of(f.of);
    return {std::string(row.unit), std::string(row.definition), name_of(from)};
}

std::array<std::int64_t, 6> json_array_of(const piece_result& p) {
    return {p.delivered,       p.readable_to_polled, p.polled_to_delivered, p.delivered_to_recorded,
            p.content_records, p.arrived_to_readable};
}

void read_json_array(piece_result& p, const json& j, const std::string& place) {
    constexpr std::int64_t latest = 9'000'000'000'000'000'000; // ns: almost 300 years
    constexpr std::uint32_t most_records = 1'000'000;          // far more than the stream of one read can hold
    const bool good = j.is_array() && j.size() == 6 && j[0].is_number_integer() &&
                      std::all_of(j.begin() + 1, j.end(), [](const json& n) { return n.is_number_unsigned(); });
    if (!good) json_fields::refuse(place, "should be a list of six whole numbers");
    p.delivered = j[0].get<std::int64_t>();
    if (p.delivered > latest || p.delivered < -latest) json_fields::refuse(place, "is centuries away");
    std::uint32_t* const others[] = {&p.readable_to_polled, &p.polled_to_delivered, &p.delivered_to_recorded,
                                     &p.content_records, &p.arrived_to_readable};
    for (std::size_t i = 0; i < std::size(others); ++i) {
        const auto n = j[i + 1].get<std::uint64_t>();
        if (!std::in_range<std::uint32_t>(n)) json_fields::refuse(place, "has a number of more than 32 bits");
        *others[i] = static_cast<std::uint32_t>(n);
    }
    if (p.content_records > most_records)
        json_fields::refuse(place, "has " + std::to_string(p.content_records) + " records; at most " +
                                       std::to_string(most_records) + " come at once");
}

void append_json_array(std::string& out, const piece_result& p) {
    const char* separator = "[";
    for (const std::int64_t n : json_array_of(p)) {
        out += separator;
        json_fields::append_integer(out, n);
        separator = ",";
    }
    out += ']';
}

} // namespace chimera::host
