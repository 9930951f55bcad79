#include "option_table.hpp"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "options.hpp"

using namespace chimera::sim;

namespace {

std::string flag(std::string name) {
    std::ranges::replace(name, '_', '-');
    return "--" + name;
}

bool accepts(const std::string& argument) {
    const char* const arguments[] = {"chimera-sim", argument.c_str()};
    return std::holds_alternative<options>(parse_options(2, arguments));
}

} // namespace

TEST_CASE("the command line takes every option of the table, its default, and nothing outside its range") {
    for (const auto& option : option_table()) {
        CAPTURE(option.name);
        const auto name = flag(option.name);
        CHECK(accepts(name + "=" + option.default_value));
        if (option.type == CHM_OPT_BOOL) {
            CHECK(accepts(name + "=true"));
            continue;
        }
        REQUIRE(option.min <= option.max);
        CHECK_FALSE(accepts(name + "=" + std::to_string(option.min - 1)));
        CHECK_FALSE(accepts(name + "=" + std::to_string(option.max * 2)));
        CHECK_FALSE(accepts(name + "=nan"));
    }
    CHECK(accepts("--model=m"));
    CHECK(accepts("--reply-range=text=1:2"));
    CHECK(accepts("--fault=refuse"));
    CHECK(repeatable_option_table().size() == 3);
}

TEST_CASE("options that are left out have the table's defaults, which are also the struct's own") {
    const char* const arguments[] = {"chimera-sim"};
    const auto parsed = parse_options(1, arguments);
    const auto& given = std::get<options>(parsed);
    const options initial;
    CHECK(given.load_ms == initial.load_ms);
    CHECK(given.prefill_tokens_per_s == initial.prefill_tokens_per_s);
    CHECK(given.decode_tokens_per_s == initial.decode_tokens_per_s);
    CHECK(given.jitter == initial.jitter);
    CHECK(given.records_per_send == initial.records_per_send);
    CHECK(given.reply_tokens_min == initial.reply_tokens_min);
    CHECK(given.reply_tokens_max == initial.reply_tokens_max);
    CHECK(given.reasoning_tokens == initial.reasoning_tokens);
    CHECK(given.seed == initial.seed);
    CHECK(given.context == initial.context);
    CHECK(given.slots == initial.slots);
    CHECK(given.layers == initial.layers);
    CHECK(given.cpu_decode_fraction == initial.cpu_decode_fraction);
    CHECK(given.num_ctx == initial.num_ctx);
    CHECK(given.ctx_prefill_cost == initial.ctx_prefill_cost);
    CHECK(given.contention == initial.contention);
}
