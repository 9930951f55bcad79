#pragma once

#include "protocol/stream_state.hpp"

#include <cstddef>
#include <cstring>
#include <doctest/doctest.h>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// Feeds pieces of a body. Each piece is copied to a heap block of its very size and freed after the call, so that a
/// sanitizer sees every read beyond a piece and every view kept too long. Adds up what the pieces brought.
template <class Stream>
class piecewise_feeder {
  public:
    explicit piecewise_feeder(Stream& stream) : stream_(stream) {}

    void feed(std::string_view piece) {
        auto bytes = std::make_unique<char[]>(piece.size());
        if (!piece.empty()) std::memcpy(bytes.get(), piece.data(), piece.size());
        count(stream_.feed({bytes.get(), piece.size()}));
    }
    void finish() { count(stream_.finish()); }

    std::uint64_t content_records = 0;
    std::uint64_t reasoning_records = 0;
    std::uint64_t tool_call_records = 0;
    int first_content_chunks = 0;
    std::int64_t last_t_ns = 0;
    feed_result last;

  private:
    void count(const feed_result& result) {
        content_records += result.content_records;
        reasoning_records += result.reasoning_records;
        tool_call_records += result.tool_call_records;
        first_content_chunks += result.first_content ? 1 : 0;
        if (result.last_t_ns != 0) last_t_ns = result.last_t_ns;
        CHECK(result.finished == stream_.state().finished);
        CHECK(result.failed == stream_.state().error.has_value());
        last = result;
    }

    Stream& stream_;
};

/// Runs `check(stream, feeder)` on `body` cut in two at every byte, cut at every byte, and cut at random (fixed seed).
template <class Stream, class Check>
void for_every_split(std::string_view body, Check&& check) {
    const auto run = [&](const std::vector<std::size_t>& cuts) {
        Stream stream;
        piecewise_feeder<Stream> feeder(stream);
        std::size_t begin = 0;
        for (const std::size_t cut : cuts) {
            feeder.feed(body.substr(begin, cut - begin));
            begin = cut;
        }
        feeder.feed(body.substr(begin));
        feeder.finish();
        check(stream, feeder);
    };
    std::vector<std::size_t> all;
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
        run({cut});
        all.push_back(cut);
    }
    run(all);
    std::mt19937 random(20251121);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::size_t> cuts;
        const std::size_t longest = 2 + random() % 200;
        for (std::size_t cut = random() % longest; cut < body.size(); cut += 1 + random() % longest)
            cuts.push_back(cut);
        run(cuts);
    }
}

} // namespace chimera::host
