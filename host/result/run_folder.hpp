// The folder of a run: requests.jsonl and texts.jsonl, then metrics.json, which says that the run is whole.
#pragma once

#include "result/run_result.hpp"
#include "result/sealed_file.hpp"
#include "result/whole_file.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// Writes a folder that is there. One thread at a time. Errors: result_file_error.
///
/// Nothing is on the disk for sure before finish() returns; what finish() wrote survives a crash of the machine, as far
/// as its folder does. Only the run's own files are synced: syncfs() would wait for the whole file system, which may be
/// full of others' data. It is used where agents wrote many reports: a sync for each of thousands took seconds.
class run_folder_writer {
  public:
    explicit run_folder_writer(std::filesystem::path folder);
    void add(const request_result&);
    void add(const text_result&);
    /// A text for people: reports/<name>.
    void add_report(const std::string& name, std::string_view text);
    /// Records the other files in the run and writes metrics.json. Returns the digits of its seal. Once, last.
    std::string finish(run_result&);

  private:
    void sync_reports() const;

    /// A sealed line for each entry, and the checksum of all.
    class lines {
      public:
        lines(const std::filesystem::path& folder, const char* name) : name_(name), file_(folder / name) {}
        template <class T>
        void add(const T& entry) {
            line_.clear();
            append_sealed_line(line_, entry);
            checksum_.add(line_);
            file_.append(line_);
        }
        file_record finish() {
            file_.commit();
            return {name_, checksum_.text(), checksum_.bytes()};
        }

      private:
        const char* name_;
        whole_file file_;
        std::string line_;
        checksum checksum_;
    };

    std::filesystem::path folder_;
    lines requests_;
    std::optional<lines> texts_;
    std::size_t reports_ = 0;
    std::vector<std::filesystem::path> first_reports_;
};

/// What others than the run's own files say of a run: the journal of its sweep, the summary of its campaign, the name
/// of its folder. What is empty or nothing, they do not say.
struct run_claims {
    std::string metrics_crc32, config_hash;
    int number = 0; ///< 0: they do not say
    std::optional<double> efficiency_pct;
};

/// The run's efficiency, or its estimate where no agent ran alone; nothing where it has neither.
std::optional<double> efficiency_of(const run_result&);

struct run_on_disk {
    run_result result;
    std::string seal; ///< of metrics.json; empty: it has none
};

/// Reads metrics.json. Checks it and the files beside it against their seals and the claims: a file without a seal is
/// only held against a seal that is claimed. Throws results_error: "FILE: what is wrong; what to do".
run_on_disk read_run(const std::filesystem::path& folder, const run_claims& = {});

/// The requests of the concurrent execution, in the order of the file. Throws results_error; also where the file does
/// not have as many requests of an agent as the run.
std::vector<request_result> read_requests(const std::filesystem::path& folder, const run_result&);

/// Throws results_error where the schema_version of a results file is not one of these.
void check_version(const json& document, const std::string& place, int oldest, int newest);

} // namespace chimera::host
