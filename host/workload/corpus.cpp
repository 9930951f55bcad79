#include "workload/corpus.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <random>
#include <string>
#include <utility>

namespace chimera::host {

namespace {

constexpr std::size_t csv_files = 42;
constexpr std::size_t json_files = 36;
constexpr std::size_t markdown_files = 23;
static_assert(csv_files + json_files + markdown_files == corpus_file_count);

constexpr std::array models{"gemma3:latest", "gemma3:270m", "llama3.1:8b", "qwen2.5:7b"};
constexpr std::array gpu_layers{60, 80, 100, 120};
constexpr std::array contexts{256, 512, 1024, 2048};

/// The distributions of the standard library differ between implementations; these do not.
class draw {
  public:
    explicit draw(std::uint64_t seed) : engine_(seed) {}
    double between(double low, double high) {
        return low + (high - low) * (static_cast<double>(engine_() >> 11U) * 0x1.0p-53);
    }
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }

  private:
    std::mt19937_64 engine_;
};

/// One benchmark configuration, and the values that its measurements scatter around.
struct configuration {
    const char* model;
    int num_gpu, num_ctx;
    double temperature, tokens_per_second, ttft_ms;
};

configuration draw_configuration(draw& random) {
    const bool cold = random.below(4) == 0;
    return {models[random.below(models.size())],
            gpu_layers[random.below(gpu_layers.size())],
            contexts[random.below(contexts.size())],
            random.below(2) == 0 ? 0.6 : 0.8,
            random.between(70, 115),
            cold ? random.between(900, 1500) : random.between(80, 650)};
}

std::string csv_text(draw& random, const configuration& c) {
    std::string out = "run,model,num_gpu,num_ctx,temperature,tokens_per_second,ttft_ms,total_ms,eval_count,note\r\n";
    const std::size_t rows = 5 + random.below(20);
    for (std::size_t run = 1; run <= rows; ++run) {
        const double rate = c.tokens_per_second * random.between(0.95, 1.05);
        const double ttft = c.ttft_ms * random.between(0.9, 1.1);
        const double tokens = random.between(300, 800);
        out += fmt::format("{},{},{},{},{:.1f},{:.2f},{:.1f},{:.1f},{:.0f},{}\r\n", run, c.model, c.num_gpu, c.num_ctx,
                           c.temperature, rate, ttft, ttft + 1000 * tokens / rate, tokens,
                           run == 1 ? "\"first run, model \"\"cold\"\"\"" : "warm");
    }
    return out;
}

std::string json_text(draw& random, const configuration& c) {
    std::string runs;
    const std::size_t count = 3 + random.below(4);
    for (std::size_t run = 1; run <= count; ++run) {
        runs += fmt::format(R"({}
    {{"run": {}, "tokens_per_second": {:.2f}, "ttft_ms": {:.1f}, "load_ms": {:.1f}, "prompt_eval_ms": {:.1f}, "eval_count": {:.0f}}})",
                            run == 1 ? "" : ",", run, c.tokens_per_second * random.between(0.95, 1.05),
                            c.ttft_ms * random.between(0.9, 1.1), random.between(40, 900), random.between(20, 120),
                            random.between(300, 800));
    }
    return fmt::format(R"({{
  "model": "{}",
  "config": {{"num_gpu": {}, "num_ctx": {}, "temperature": {:.1f}}},
  "runs": [{}
  ],
  "summary": {{"parallel_efficiency_pct": {:.2f}, "resident_mb": {:.1f}, "gpu_util_pct": {:.1f}}}
}}
)",
                       c.model, c.num_gpu, c.num_ctx, c.temperature, runs, random.between(78, 99.5),
                       random.between(65, 350), random.between(60, 98));
}

std::string markdown_text(draw& random, const configuration& c, std::size_t number) {
    std::string out = fmt::format("# Benchmark report {}: {}\n\n## Configuration\n\n- num_gpu: {}\n- num_ctx: {}\n\n",
                                  number, c.model, c.num_gpu, c.num_ctx);
    out += fmt::format("## Results\n\n- **Tokens per second**: {:.2f}\n- **TTFT**: {:.1f} ms\n- GPU util: {:.1f} %\n\n",
                       c.tokens_per_second, c.ttft_ms, random.between(60, 98));
    out += "| run | tokens/s | ttft ms |\n|---|---:|---:|\n";
    for (std::size_t run = 1; run <= 5; ++run) {
        out += fmt::format("| {} | {:.2f} | {:.1f} |\n", run, c.tokens_per_second * random.between(0.95, 1.05),
                           c.ttft_ms * random.between(0.9, 1.1));
    }
    out +=
        fmt::format("\n## Conclusion\n\nWith {} layers on the GPU the model reached {:.1f} tokens/s; the first token "
                    "took {}.\n",
                    c.num_gpu, c.tokens_per_second, c.ttft_ms > 800 ? "long (cold start)" : "little time");
    return out;
}

/// The files are written minute by minute.
std::int64_t written(std::size_t number) {
    using namespace std::chrono;
    return (sys_days{2025y / November / 1d} + 9h + minutes(number)).time_since_epoch() / 1s;
}

} // namespace

std::vector<text_file> generate_corpus(std::uint64_t seed) {
    draw random(seed);
    std::vector<text_file> files;
    const auto add = [&files](std::string path, std::string text) {
        files.push_back({std::move(path), std::move(text), written(files.size() + 1)});
    };
    for (std::size_t i = 1; i <= csv_files; ++i) {
        const configuration c = draw_configuration(random);
        add(fmt::format("csv_data/gpu{}_ctx{}/sweep_{:02}.csv", c.num_gpu, c.num_ctx, i), csv_text(random, c));
    }
    for (std::size_t i = 1; i <= json_files; ++i) {
        const configuration c = draw_configuration(random);
        add(fmt::format("artifacts/run_{}/metrics_{:02}.json", (i - 1) / 9 + 1, i), json_text(random, c));
    }
    for (std::size_t i = 1; i <= markdown_files; ++i) {
        const configuration c = draw_configuration(random);
        add(fmt::format("reports/part_{}/report_{:02}.md", (i - 1) / 6 + 1, i), markdown_text(random, c, i));
    }
    std::ranges::sort(files, {}, [](const text_file& f) { return std::filesystem::path(f.path); });
    return files;
}

} // namespace chimera::host
