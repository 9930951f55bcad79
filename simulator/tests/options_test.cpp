#include <algorithm>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include "option_table.hpp"
#include "options.hpp"

using namespace chimera::sim;

namespace {

parsed_options parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "chimera-sim");
    return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

std::string complaint(std::vector<const char*> arguments) {
    const auto parsed = parse(std::move(arguments));
    const auto* early = std::get_if<early_exit>(&parsed);
    REQUIRE(early != nullptr);
    CHECK(early->status == 2);
    return early->text;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string flag(std::string name) {
    std::ranges::replace(name, '_', '-');
    return "--" + name;
}

bool accepts(const std::string& argument) {
    const char* const arguments[] = {"chimera-sim", argument.c_str()};
    return std::holds_alternative<options>(parse_options(2, arguments));
}

} // namespace

TEST_CASE("every option reaches its field") {
    const auto parsed = parse({"--listen",
                               "[::1]:8080",
                               "--model",
                               "a",
                               "--model",
                               "b",
                               "--load-ms",
                               "1.5",
                               "--prefill-tokens-per-s",
                               "0",
                               "--decode-tokens-per-s",
                               "50.5",
                               "--jitter",
                               "0.25",
                               "--records-per-send",
                               "4",
                               "--reply-tokens-min",
                               "10",
                               "--reply-tokens-max",
                               "20",
                               "--reply-range",
                               "x=y=3:7",
                               "--reasoning-tokens",
                               "9",
                               "--seed",
                               "18446744073709551615",
                               "--context",
                               "--slots",
                               "3",
                               "--layers",
                               "40",
                               "--cpu-decode-fraction",
                               "0.5",
                               "--num-ctx",
                               "1024",
                               "--ctx-prefill-cost",
                               "0.1",
                               "--shared-gpu",
                               "/f",
                               "--contention",
                               "1",
                               "--fault",
                               "stall,after=2,requests=1,ms=30",
                               "--exit-with-parent",
                               "--quiet"});
    const auto* o = std::get_if<options>(&parsed);
    REQUIRE(o != nullptr);
    CHECK(o->host == "::1");
    CHECK(o->port == 8080);
    CHECK(o->models == std::vector<std::string>{"a", "b"});
    CHECK(o->load_ms == 1.5);
    CHECK(o->prefill_tokens_per_s == 0);
    CHECK(o->decode_tokens_per_s == 50.5);
    CHECK(o->jitter == 0.25);
    CHECK(o->records_per_send == 4);
    CHECK(o->reply_tokens_min == 10);
    CHECK(o->reply_tokens_max == 20);
    REQUIRE(o->reply_ranges.size() == 1);
    CHECK(o->reply_ranges[0].match == "x=y");
    CHECK(o->reply_ranges[0].min == 3);
    CHECK(o->reply_ranges[0].max == 7);
    CHECK(o->reasoning_tokens == 9);
    CHECK(o->seed == 18446744073709551615U);
    CHECK(o->context);
    CHECK(o->slots == 3);
    CHECK(o->layers == 40);
    CHECK(o->cpu_decode_fraction == 0.5);
    CHECK(o->num_ctx == 1024);
    CHECK(o->ctx_prefill_cost == 0.1);
    CHECK(o->shared_gpu == "/f");
    CHECK(o->contention == 1);
    REQUIRE(o->faults.size() == 1);
    CHECK(o->faults[0].kind == fault_kind::stall);
    CHECK(o->faults[0].after == 2);
    CHECK(o->faults[0].requests == 1);
    CHECK(o->faults[0].ms == 30);
    CHECK(o->exit_with_parent);
    CHECK(o->quiet);
}

TEST_CASE("flags take a value, so that a profile can set them") {
    const auto parsed = parse({"--context=true", "--quiet=false"});
    const auto* o = std::get_if<options>(&parsed);
    REQUIRE(o != nullptr);
    CHECK(o->context);
    CHECK_FALSE(o->quiet);
}

TEST_CASE("bad values are refused with status 2 and the reason") {
    CHECK(contains(complaint({"--decode-tokens-per-s", "-1"}), "--decode-tokens-per-s"));
    CHECK(contains(complaint({"--jitter", "1.5"}), "--jitter"));
    CHECK(contains(complaint({"--slots", "many"}), "--slots"));
    CHECK(contains(complaint({"--nonsense"}), "--nonsense"));
    CHECK(contains(complaint({"stray"}), "stray"));
    CHECK(contains(complaint({"--listen", "localhost"}), "HOST:PORT"));
    CHECK(contains(complaint({"--listen", "::1:80"}), "[::1]"));
    CHECK(contains(complaint({"--listen", "127.0.0.1:99999"}), "65535"));
    CHECK(contains(complaint({"--reply-tokens-min", "5", "--reply-tokens-max", "4"}), "greater than"));
    CHECK(contains(complaint({"--reply-range", "collector"}), "TEXT=MIN:MAX"));
    CHECK(contains(complaint({"--reply-range", "c=9:3"}), "MIN <= MAX"));
    CHECK(contains(complaint({"--contention", "nan"}), "--contention"));
}

TEST_CASE("an unknown fault is answered with the known faults, a field without meaning with the fields that have one") {
    const auto unknown = complaint({"--fault", "explode"});
    for (const auto* kind : {"refuse",          "reset",         "stall",      "garbage",       "oversized",
                             "error_record",    "status_429",    "status_500", "status_503",    "slow_drip",
                             "truncated_chunk", "early_close",   "bad_chunk",  "linger",        "clump",
                             "no_text",         "finish_reason", "status_201", "bad_durations", "hidden_reasoning"}) {
        CHECK(contains(unknown, kind));
    }
    CHECK(contains(complaint({"--fault", "reset,ms=3"}), "it takes after=N requests=M"));
    CHECK(contains(complaint({"--fault", "stall,after=x"}), "whole number"));
    CHECK(contains(complaint({"--fault", "slow_drip,ms=0"}), "at least 1"));
    CHECK(contains(complaint({"--fault", "hidden_reasoning,ms=3"}), "it takes requests=M tokens=K"));
    CHECK(contains(complaint({"--fault", "finish_reason,tokens=3"}), "it takes after=N requests=M reason=R"));
    CHECK(contains(complaint({"--fault", "finish_reason,after=3"}), "needs a reason"));
    CHECK(contains(complaint({"--fault", "finish_reason,reason=a b"}), "letters"));
    CHECK(parse_fault("429").kind == fault_kind::status_429);
    CHECK(parse_fault("201").kind == fault_kind::status_201);
    CHECK(parse_fault("hidden_reasoning").tokens == 50);
    CHECK(parse_fault("finish_reason,reason=load").reason == "load");
}

TEST_CASE("a fault limited to some requests passes over to the next one on the list") {
    fault_list faults({parse_fault("status_503,requests=2"), parse_fault("refuse"), parse_fault("reset,after=1")});
    CHECK(faults.take().kind == fault_kind::status_503);
    CHECK(faults.take().kind == fault_kind::status_503);
    CHECK(faults.take().kind == fault_kind::reset);
    CHECK(faults.take().kind == fault_kind::reset);
    CHECK(faults.refuse().has_value());
}

TEST_CASE("help and version are not errors") {
    for (const auto* option : {"--help", "--version"}) {
        const auto parsed = parse({option});
        const auto* early = std::get_if<early_exit>(&parsed);
        REQUIRE(early != nullptr);
        CHECK(early->status == 0);
        CHECK(contains(early->text, "chimera-sim"));
    }
}

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
