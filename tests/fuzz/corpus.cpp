#include "corpus.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace chimera::fuzz {

namespace fs = std::filesystem;

std::vector<corpus_file> read_corpus(const fs::path& folder_or_file) {
    std::vector<fs::path> files;
    if (fs::is_directory(folder_or_file))
        for (const auto& entry : fs::directory_iterator(folder_or_file)) files.push_back(entry.path());
    else
        files.push_back(folder_or_file);
    std::sort(files.begin(), files.end());
    std::vector<corpus_file> all;
    for (const fs::path& file : files) {
        std::ifstream in(file, std::ios::binary);
        if (!in) throw std::runtime_error(file.string() + " cannot be read");
        all.push_back({file.filename().string(), {std::istreambuf_iterator<char>(in), {}}});
    }
    if (all.empty()) throw std::runtime_error(folder_or_file.string() + " holds no input");
    return all;
}

std::vector<std::string> corpus_seeds(std::string_view kind) {
    std::vector<std::string> seeds;
    constexpr std::size_t longest = 40'000; // changes would be lost in it; it is there to be replayed
    for (corpus_file& file : read_corpus(fs::path(CHIMERA_FUZZ_CORPUS) / kind))
        if (file.bytes.size() <= longest) seeds.push_back(std::move(file.bytes));
    return seeds;
}

scratch_folder::scratch_folder() {
    const fs::path memory = "/dev/shm";
    const bool there = ::access(memory.c_str(), W_OK) == 0;
    std::string name = ((there ? memory : fs::temp_directory_path()) / "chimera-fuzz-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name + " failed");
    path_ = name;
}

scratch_folder::~scratch_folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

void scratch_folder::clear() const {
    for (const auto& entry : fs::directory_iterator(path_)) fs::remove_all(entry.path());
}

void scratch_folder::write(const fs::path& name, std::string_view bytes) const {
    const fs::path file = path_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream out(file, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

} // namespace chimera::fuzz
