#include "registry/open_plugin.hpp"
#include "registry/plugin_host.hpp"
#include "registry/registry.hpp"

namespace chimera::host {

plugin::plugin(std::filesystem::path path, const chm_plugin_entry& entry)
    : path_(std::move(path)), entry_(&entry), host_(std::make_unique<plugin_host>(entry.id)) {}

plugin::~plugin() {
    if (initialized_ && entry_->deinit != nullptr) entry_->deinit();
}

bool plugin::offers(plugin_kind kind) const {
    return kind == plugin_kind::executor ? executor_ != nullptr : transport_ != nullptr;
}

std::span<const chm_option> plugin::options(plugin_kind kind) const {
    return kind == plugin_kind::executor ? executor_options_ : transport_options_;
}

void executor_destroy::operator()(chm_executor* executor) const { executor->vt->destroy(executor); }
void transport_destroy::operator()(chm_transport* transport) const { transport->vt->destroy(transport); }

} // namespace chimera::host
