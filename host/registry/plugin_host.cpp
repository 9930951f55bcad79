#include "registry/plugin_host.hpp"
#include <spdlog/spdlog.h>

namespace chimera::host {

namespace {

spdlog::level::level_enum level_of(std::int32_t level) {
    switch (level) {
    case CHM_LOG_DEBUG:
        return spdlog::level::debug;
    case CHM_LOG_INFO:
        return spdlog::level::info;
    case CHM_LOG_WARN:
        return spdlog::level::warn;
    default:
        return spdlog::level::err;
    }
}

void log_line(const chm_host* host, std::int32_t level, chm_str message) noexcept {
    try {
        const std::string_view text(message.ptr == nullptr ? "" : message.ptr,
                                    message.ptr == nullptr ? 0 : message.len);
        spdlog::log(level_of(level), "[{}] {}", static_cast<const plugin_host*>(host)->id, text);
    } catch (...) { // a line that cannot be written must not end a run
    }
}

const void* no_extension(const chm_host*, const char*) noexcept { return nullptr; }

} // namespace

plugin_host::plugin_host(std::string plugin_id)
    : chm_host{sizeof(chm_host), log_line, no_extension}, id(std::move(plugin_id)) {}

} // namespace chimera::host
