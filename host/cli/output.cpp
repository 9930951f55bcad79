#include "cli/output.hpp"

#include "process/secrets.hpp"
#include "protocol/excerpt.hpp"
#include "result/whole_file.hpp"

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>

#include <string_view>
#include <utility>

#include <unistd.h>

namespace chimera::host {

void print_result(std::string_view text) { write_all(STDOUT_FILENO, text, "standard output cannot be written"); }

nlohmann::ordered_json printable_document(nlohmann::ordered_json document) {
    if (document.is_string()) return on_one_line(document.get_ref<const std::string&>());
    if (document.is_structured())
        for (auto& member : document) member = printable_document(std::move(member));
    return document;
}

nlohmann::ordered_json or_null(const std::string& text) {
    return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
}

namespace {

class escaping_formatter final : public spdlog::formatter {
  public:
    explicit escaping_formatter(std::string pattern) : pattern_(std::move(pattern)), inner_(pattern_) {}

    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        const std::string text =
            on_one_line(redacted(std::string_view(message.payload.data(), message.payload.size())));
        spdlog::details::log_msg escaped = message;
        escaped.payload = text;
        inner_.format(escaped, out);
        // Where the colours stand in `out`: the sink reads it off the message that it passed.
        message.color_range_start = escaped.color_range_start;
        message.color_range_end = escaped.color_range_end;
    }

    std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<escaping_formatter>(pattern_); }

  private:
    const std::string pattern_;
    spdlog::pattern_formatter inner_;
};

} // namespace

std::unique_ptr<spdlog::formatter> make_log_formatter(std::string pattern) {
    return std::make_unique<escaping_formatter>(std::move(pattern));
}

} // namespace chimera::host
