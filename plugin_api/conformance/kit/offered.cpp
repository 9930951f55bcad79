#include "offered.hpp"

#include "chimera/sdk/text.hpp"
#include "environment.hpp"

namespace chimera::conformance {

namespace {

bool opens(chm_transport& t, executor& on, const char* url) {
    chm_session_args args{};
    args.size = sizeof args;
    args.executor = on.raw();
    args.reactor = on.reactor();
    args.base_url = sdk::str(url);
    chm_session* made = nullptr;
    const chm_rc rc = t.vt->open(&t, &args, &made, nullptr);
    if (rc == CHM_OK) made->vt->close(made);
    return rc != CHM_E_NOSYS;
}

} // namespace

offered offered::asked(environment& env) {
    offered o;
    const auto on = env.make_executor_below();
    chm_transport* t = env.make_transport();
    o.flags = t->vt->flags;
    on->spawn([&](chm_waker*) {
        o.tcp = opens(*t, *on, "http://127.0.0.1:9");
        o.unix_socket = opens(*t, *on, "http+unix://%2Fnonexistent%2Fchimera.sock");
        o.tls = opens(*t, *on, "https://localhost:9");
        return CHM_READY;
    });
    on->run_until_idle();
    t->vt->destroy(t);
    return o;
}

} // namespace chimera::conformance
