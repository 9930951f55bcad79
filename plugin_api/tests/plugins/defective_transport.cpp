// Another transport with one defect at a time, to show that the transport cases can fail.
#include <dlfcn.h>

#include <array>
#include <string>
#include <utility>

#include "chimera/sdk/plugin.hpp"

namespace {

namespace sdk = chimera::sdk;

class exchange_shim final : public sdk::exchange_base<exchange_shim> {
  public:
    exchange_shim(chm_exchange* inner, const std::string& defect) : inner_(inner), defect_(defect) {}

    chm_rc poll_head(chm_waker* w, chm_head& head) {
        return checked([&](chm_error* e) { return inner_->vt->poll_head(inner_, w, &head, e); });
    }
    chm_rc poll_chunk(chm_waker* w, chm_str& view) {
        if (defect_ == "gives_empty_pieces" && !std::exchange(gave_empty_, true)) {
            view = {"", 0};
            return CHM_READY;
        }
        const chm_rc rc = checked([&](chm_error* e) { return inner_->vt->poll_chunk(inner_, w, &view, e); });
        if (rc == CHM_READY && defect_ == "swallows_bytes" && view.len > 1) --view.len;
        return rc;
    }
    void close() noexcept {
        if (defect_ == "leaks_exchanges") return;
        inner_->vt->close(inner_);
        delete this;
    }

  private:
    template <class Call>
    chm_rc checked(Call call) const {
        sdk::error_buffer err;
        const chm_rc rc = call(err.abi());
        if (rc == CHM_E_CLOSED && defect_ == "takes_close_for_end") return CHM_END;
        if (rc == CHM_E_IO && defect_ == "confuses_codes") throw sdk::error(CHM_E_CLOSED, std::string(err.text()));
        if (rc < 0 && defect_ == "says_nothing") throw sdk::error(rc, "failed");
        err.check(rc);
        return rc;
    }

    chm_exchange* inner_;
    const std::string& defect_;
    bool gave_empty_ = false;
};

class session_shim final : public sdk::session_base<session_shim> {
  public:
    session_shim(chm_transport* t, const chm_session_args& args, const std::string& defect)
        : transport_(t), url_(sdk::view(args.base_url)), args_(args), defect_(defect) {
        args_.base_url = sdk::str(url_);
        open();
    }
    ~session_shim() { inner_->vt->close(inner_); }

    chm_exchange* start(const chm_request& request) {
        if (defect_ == "never_reuses" && std::exchange(used_, true)) {
            inner_->vt->close(inner_);
            open();
        }
        chm_request r = request;
        if (defect_ == "forgets_headers") r.n_headers = 0;
        sdk::error_buffer err;
        chm_exchange* x = nullptr;
        err.check(inner_->vt->start(inner_, &r, &x, err.abi()));
        return new exchange_shim(x, defect_);
    }

  private:
    void open() {
        sdk::error_buffer err;
        err.check(transport_->vt->open(transport_, &args_, &inner_, err.abi()));
    }

    chm_transport* transport_;
    std::string url_;
    chm_session_args args_;
    const std::string& defect_;
    chm_session* inner_ = nullptr;
    bool used_ = false;
};

class transport_shim final : public sdk::transport_base<transport_shim> {
  public:
    static constexpr std::array schema{
        sdk::string_option("inner", "", "path of the transport that is sound"),
        sdk::enum_option("defect", "none",
                         "none|swallows_bytes|gives_empty_pieces|takes_close_for_end|confuses_codes|says_nothing|"
                         "never_reuses|forgets_headers|leaks_exchanges",
                         "what it does wrong"),
    };

    transport_shim(const chm_host* host, const sdk::options& o) : defect_(o.choice("defect")) {
        void* library = ::dlopen(std::string(o.text("inner")).c_str(), RTLD_NOW | RTLD_LOCAL);
        if (!library) throw sdk::error(CHM_E_INVAL, ::dlerror());
        const auto* entry = static_cast<const chm_plugin_entry*>(::dlsym(library, CHM_ENTRY_SYMBOL));
        const auto* factory = static_cast<const chm_transport_factory*>(entry->get_factory(CHM_FACTORY_TRANSPORT));
        sdk::error_buffer err;
        const chm_config defaults{nullptr, 0};
        err.check(factory->create(host, &defaults, &inner_, err.abi()));
    }
    ~transport_shim() { inner_->vt->destroy(inner_); }

    chm_session* open(const chm_session_args& args) { return new session_shim(inner_, args, defect_); }
    const void* extension(std::string_view) noexcept { return nullptr; }

  private:
    std::string defect_;
    chm_transport* inner_ = nullptr;
};

} // namespace

CHIMERA_TRANSPORT_PLUGIN("defective_transport", "1.0", "a transport with the defect that it is told to have",
                         transport_shim);
