#include "agent/default_corpus.hpp"

#include "workload/corpus.hpp"

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace chimera::host {
namespace {

constexpr std::uint64_t corpus_seed = 1; // the same files for everyone: prompts are part of a comparison

}

default_corpus::default_corpus(const profile& p) : folder_(p.workload.corpus) {
    if (p.workload.kind != workload_kind::report || !folder_.empty()) return;
    std::string name = (std::filesystem::temp_directory_path() / "chimera-corpus-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
    folder_ = name;
    temporary_ = true;
    generate_corpus(folder_, corpus_seed);
}

default_corpus::~default_corpus() {
    std::error_code ignored;
    if (temporary_) std::filesystem::remove_all(folder_, ignored);
}

} // namespace chimera::host
