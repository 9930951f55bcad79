// What one message costs a coordinator to write and to read: 1 KiB of body, in each codec.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>

#include "frame/codec.hpp"

namespace {

using namespace chimera::frames;

void frame_codec(benchmark::State& state, std::unique_ptr<codec> (*make)()) {
    std::array<std::byte, 1024> body;
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<std::byte>(i * 37);
    frame f;
    f.kind = kind::message;
    f.from = 1;
    f.to = 2;
    f.channel = 3;
    f.sequence = 1'000'000;
    f.time_ns = 1'700'000'000'000'000'000;
    f.epoch = 1;
    f.body = body;
    const auto with = make();
    byte_buffer out;
    scratch memory;
    for (auto _ : state) {
        out.clear();
        with->encode(f, out);
        frame read = with->decode(out.bytes(), memory, limits{});
        benchmark::DoNotOptimize(read);
    }
    state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK_CAPTURE(frame_codec, flatbuffers, make_flatbuffers_codec);
BENCHMARK_CAPTURE(frame_codec, json_numbers, [] { return make_json_codec(body_text::numbers); });
BENCHMARK_CAPTURE(frame_codec, json_base64, [] { return make_json_codec(body_text::base64); });

} // namespace
