#include "agent/report_corpus.hpp"

#include "workload/corpus.hpp"

#include <cstdint>
#include <stdexcept>

namespace chimera::host {
namespace {

constexpr std::uint64_t corpus_seed = 1; // the same files for everyone: prompts are part of a comparison

}

report_corpus::report_corpus(const profile& p) : folder_(p.workload.corpus) {
    if (p.workload.kind == workload_kind::report && folder_.empty()) generated_ = generate_corpus(corpus_seed);
}

data_summary report_corpus::read() const {
    if (folder_.empty()) return ingest(generated_);
    data_summary data = ingest(folder_);
    if (data.files() == 0)
        throw std::runtime_error(folder_.string() +
                                 ": no CSV, JSON or Markdown file that could be read (workload.corpus)");
    return data;
}

} // namespace chimera::host
