#include "environment.hpp"

#include <algorithm>

#include "../scripted_server/fronts.hpp"
#include "census.hpp"
#include "chimera/sdk/error.hpp"
#include "chimera/sdk/text.hpp"
#include "reference_executor.hpp"
#include "watched.hpp"

namespace chimera::conformance {

namespace {

/// Awaits `body` and reports an exception, before the SDK turns it into a bare code.
sdk::task<void> reporting(ledger& to, sdk::task<void> body) {
    try {
        co_await body;
    } catch (const std::exception& e) {
        to.report(e.what());
    }
}

/// The type of a factory's instances: that of the last but one argument of create.
template <class Instance>
Instance* instance_type(chm_rc (*)(const chm_host*, const chm_config*, Instance**, chm_error*) CHM_NX);

/// Makes an instance and checks that its table exists and is large enough. Throws failure.
template <class Factory>
auto* made_by(const Factory& factory, const chm_host* host, const std::vector<chm_option>& schema,
              const option_map& given) {
    const config options(schema, given);
    decltype(instance_type(factory.create)) made = nullptr;
    sdk::error_buffer err;
    expect(factory.create != nullptr, "a factory must have create");
    const chm_rc rc = factory.create(host, options.abi(), &made, err.abi());
    if (rc < 0) throw failure("create failed with " + code_name(rc) + ": " + std::string(err.text()));
    expect(made != nullptr && made->vt != nullptr, "create succeeded and must have set *out");
    expect(made->vt->size >= sizeof *made->vt, "the instance's table must be as large as the contract's");
    return made;
}

option_map merged(option_map given, const option_map& extra) {
    for (const auto& [key, value] : extra) given[key] = value;
    return given;
}

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

executor::executor(chm_executor* owned, ledger& l) : raw_(owned), ledger_(l), phase_(std::make_shared<phase>()) {
    phase_->pinned = (raw_->vt->flags & CHM_EXECUTOR_PINNED) != 0;
    if (chm_reactor* r = bare_reactor()) watched_.emplace(r, ledger_);
}

chm_rc executor::give(probe& p, const chm_spawn_opts* opts, bool service) {
    chm_rc rc;
    {
        const no_poll_here inside("spawn");
        rc = service ? services()->spawn_service(raw_, &p, opts) : raw_->vt->spawn(raw_, &p, opts);
    }
    if (rc < 0) {
        const no_poll_here nowhere(nullptr);
        p.vt->drop(&p);
    }
    return rc;
}

chm_rc executor::try_spawn(probe::step s) { return give(ledger_.create(phase_, std::move(s)), nullptr); }

probe& executor::spawn(probe::step s, const chm_spawn_opts* opts) {
    probe& p = ledger_.create(phase_, std::move(s));
    expect_code(give(p, opts), CHM_OK, "spawn's result");
    return p;
}

probe& executor::spawn(sdk::task<void> body) {
    const auto drop = [](chm_task* t) noexcept { t->vt->drop(t); };
    const std::shared_ptr<chm_task> inner(sdk::root_task::create(reporting(ledger_, std::move(body))), drop);
    return spawn([inner](chm_waker* w) {
        nobody_will_wake = false;
        const chm_rc rc = inner->vt->poll(inner.get(), w);
        return rc == CHM_PENDING && nobody_will_wake ? CHM_E_FAIL : rc;
    });
}

chm_rc executor::try_spawn_service(probe::step s) { return give(ledger_.create(phase_, std::move(s)), nullptr, true); }

probe& executor::spawn_service(probe::step s, const chm_spawn_opts* opts) {
    probe& p = ledger_.create(phase_, std::move(s));
    expect_code(give(p, opts, true), CHM_OK, "spawn_service's result");
    return p;
}

chm_rc executor::try_run(std::uint32_t mode, sdk::error_buffer& err) {
    phase_->begun.store(true);
    const chm_rc rc = raw_->vt->run(raw_, mode, err.abi());
    phase_->ended.store(true);
    return rc;
}

chm_rc executor::run(std::uint32_t mode) {
    sdk::error_buffer err;
    const chm_rc rc = try_run(mode, err);
    if (rc < 0 && rc != CHM_E_CANCELED)
        throw failure("run failed with " + code_name(rc) + ": " + std::string(err.text()));
    return rc;
}

void executor::run_until_idle() { expect_code(run(CHM_RUN_UNTIL_IDLE), CHM_OK, "run until idle's result"); }

void executor::stop() noexcept {
    const no_poll_here inside("stop");
    raw_->vt->stop(raw_);
}

void executor::destroy() noexcept {
    if (chm_executor* e = std::exchange(raw_, nullptr)) e->vt->destroy(e);
}

environment::environment(const request& r, const test_case& c, std::function<void(const std::string&)> report,
                         const server_room* room)
    : request_(r), case_(c), report_(std::move(report)), host_(kit_host(r.verbose)),
      plugin_(r.plugin, host_, r.loadable), ledger_(report_), room_(room) {
    servers_.room = room;
    const auto load = [&](std::optional<plugin_file>& into, const std::filesystem::path& path) {
        if (path.empty()) return;
        into.emplace(path, host_, r.loadable);
        if (!into->executors()) throw std::runtime_error(path.string() + ": has no executors");
    };
    load(below_, r.executor);
    load(foreign_, r.foreign);
    if (r.transport.empty()) return;
    bridged_.emplace(r.transport, host_, r.loadable);
    if (!bridged_->transports()) throw std::runtime_error(r.transport.string() + ": has no transports");
}

std::mt19937_64 environment::random() const {
    std::uint64_t name = 0xcbf29ce484222325; // FNV-1a: the same on every machine, unlike std::hash
    for (const char c : case_.name) name = (name ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return std::mt19937_64(request_.seed ^ name);
}

std::unique_ptr<executor> environment::create(const chm_executor_factory& factory,
                                              const std::vector<chm_option>& schema, const option_map& given) {
    chm_executor* e = made_by(factory, host_, schema, given);
    const chm_executor_vt& vt = *e->vt;
    expect(vt.spawn && vt.run && vt.stop && vt.destroy && vt.get_extension, "the executor's table must be whole");
    return std::make_unique<executor>(e, ledger_);
}

std::unique_ptr<executor> environment::make_executor(const option_map& extra) {
    return create(*plugin_.executors(), plugin_.executor_schema(), merged(request_.options, extra));
}

std::unique_ptr<executor> environment::make_executor_of(unsigned workers) {
    for (const chm_option& o : plugin_.executor_schema())
        if (o.name && std::string_view(o.name) == "workers" && o.type == CHM_OPT_INT &&
            (o.max < o.min || (o.min <= workers && workers <= o.max)))
            try {
                return make_executor({{"workers", std::to_string(workers)}});
            } catch (const failure&) { // a runtime may have one set of threads for the process
                break;
            }
    return make_executor();
}

std::unique_ptr<executor> environment::make_executor_below() {
    if (below_) return create(*below_->executors(), below_->executor_schema(), {});
    auto own = create(sdk::executor_factory<reference_executor>, {}, {});
    auto& bare = *static_cast<reference_executor*>(own->raw());
    bare.stand_in = [this](chm_task* t) -> chm_task* { return probe::is_one(*t) ? t : new watched_task(t, ledger_); };
    bare.give_up = [](chm_task* t) { delete static_cast<watched_task*>(t); };
    return own;
}

std::unique_ptr<executor> environment::make_foreign() {
    return foreign_ ? create(*foreign_->executors(), foreign_->executor_schema(), {}) : nullptr;
}

chm_transport* environment::create(const plugin_file& from, const option_map& given) {
    chm_transport* t = made_by(*from.transports(), host_, from.transport_schema(), given);
    expect(t->vt->open && t->vt->destroy && t->vt->get_extension, "the transport's table must be whole");
    return t;
}

chm_transport* environment::make_transport(const option_map& extra) {
    option_map given = request_.options;
    const auto& schema = plugin_.transport_schema();
    const auto is_ca_file = [](const chm_option& o) { return o.name && std::string_view(o.name) == "ca_file"; };
    if (room_ && std::any_of(schema.begin(), schema.end(), is_ca_file)) given.emplace("ca_file", room_->ca_file());
    return watch(create(plugin_, merged(std::move(given), extra)), ledger_);
}

chm_coordinator* environment::make_coordinator(const option_map& extra) {
    chm_coordinator* c =
        made_by(*plugin_.coordinators(), host_, plugin_.coordinator_schema(), merged(request_.options, extra));
    expect(c->vt->join && c->vt->destroy && c->vt->get_extension, "the coordinator's table must be whole");
    return c;
}

const offered& environment::offers() {
    if (!offers_) offers_ = offered::asked(*this);
    servers_.over = request_.over.value_or(offers_->first());
    servers_.http2 = (offers_->flags & CHM_TRANSPORT_HTTP2) != 0;
    return *offers_;
}

served environment::servers(wire over) const {
    served s = servers_;
    s.over = over;
    return s;
}

chm_transport* environment::make_bridged_transport() { return create(*bridged_, {}); }

void environment::warm_up() {
    start_first_thread();
    if (case_.kind == kind::plugin) return;
    if (plugin_.transports()) {
        chm_transport* t = make_transport();
        t->vt->destroy(t);
    }
    if (plugin_.coordinators()) {
        chm_coordinator* c = make_coordinator();
        c->vt->destroy(c);
    }
    if (case_.kind == kind::transport) offers();
    for (const auto& e : {plugin_.executors() ? make_executor() : nullptr, make_executor_below(), make_foreign()}) {
        if (!e) continue;
        e->spawn([](chm_waker*) { return CHM_READY; });
        e->run_until_idle();
    }
}

void environment::check_nothing_left(const census& before) {
    ledger_.expect_all_dropped();
    const std::string left = before.left_over_after(std::chrono::seconds(sanitized ? 5 : 1));
    if (!left.empty()) report_("left behind: " + left);
}

} // namespace chimera::conformance
