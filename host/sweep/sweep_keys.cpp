#include "sweep/sweep_keys.hpp"

#include <array>

namespace chimera::host {
namespace {

constexpr chm_option text(const char* name, const char* help) {
    return {sizeof(chm_option), CHM_OPT_STRING, name, help, "", nullptr, 1, 0};
}
constexpr chm_option number(const char* name, const char* help, const char* initial, double min, double max) {
    return {sizeof(chm_option), CHM_OPT_FLOAT, name, help, initial, nullptr, min, max};
}
constexpr chm_option flag(const char* name, const char* help, const char* initial) {
    return {sizeof(chm_option), CHM_OPT_BOOL, name, help, initial, nullptr, 1, 0};
}

constexpr double a_day = 86400;

const std::array keys = std::to_array<profile_key<sweep_values>>({
    {text("question", "The question that the sweep answers; heads the report"),
     [](sweep_values& s) -> key_field { return &s.question; }},
    {number("until_ci_pct",
            "Enough runs: the 95 % interval of a cell's efficiency is at most this wide, in points; 0: all runs", "0",
            0, 100),
     [](sweep_values& s) -> key_field { return &s.until_ci_pct; }},
    {flag("common_seed", "Every configuration gets the same requests; false: each draws its own", "true"),
     [](sweep_values& s) -> key_field { return &s.common_seed; }},
    {number("pause_s", "Pause between two cells, in s", "0", 0, a_day),
     [](sweep_values& s) -> key_field { return &s.conduct.pause_s; }},
    {text("before_cell", "Command for /bin/sh before each cell; empty: none"),
     [](sweep_values& s) -> key_field { return &s.conduct.before_cell; }},
    {text("after_cell", "Command for /bin/sh after each cell; empty: none"),
     [](sweep_values& s) -> key_field { return &s.conduct.after_cell; }},
    {number("hook_limit_s", "Time limit of before_cell and of after_cell, in s", "300", 0.1, a_day),
     [](sweep_values& s) -> key_field { return &s.conduct.hook_limit_s; }},
    {number("wait_for_server_s",
            "How long to wait for a server that cannot be reached, in s; 0: do not look, and let cells fail", "600", 0,
            7 * a_day),
     [](sweep_values& s) -> key_field { return &s.conduct.wait_for_server_s; }},
});

} // namespace

std::span<const profile_key<sweep_values>> sweep_keys() { return keys; }

} // namespace chimera::host
