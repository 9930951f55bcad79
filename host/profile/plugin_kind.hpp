#pragma once

namespace chimera::host {

/// What a profile may ask of a plugin.
enum class plugin_kind { executor, transport };

/// "executor" or "transport", as the profile's tables are called.
constexpr const char* to_string(plugin_kind kind) { return kind == plugin_kind::executor ? "executor" : "transport"; }

} // namespace chimera::host
