#include "quic/driver.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/coordinator.hpp>

#include <array>
#include <memory>

namespace chimera::quic {

/// What the task holds of a station. The driver keeps the station until it has said goodbye.
class quic_endpoint final : public group::endpoint {
  public:
    quic_endpoint(std::shared_ptr<station> s, const chm_endpoint_args& args)
        : endpoint(s->lock), station_(std::move(s)), executor_(args.executor), reactor_(args.reactor) {}
    std::string_view address() noexcept override { return station_->hub_address(); }
    void close() noexcept override {
        {
            const group::holding lock(station_->lock);
            station_->core().inbox.forget_waiting();
            station_->close(sdk::now_ns());
        }
        delete this;
    }

  private:
    ~quic_endpoint() = default;
    group::party& core() noexcept override { return station_->core(); }
    bool is_ready() override { return station_->is_ready(); }
    void moved() override {
        if (!station_->begun) begin();
        station_->wake_driver();
    }
    void add_stats(chm_endpoint_stats& out) const noexcept override { station_->add_stats(out); }
    void begin() {
        chm_task* driver = make_driver(station_, reactor_);
        chm_spawn_opts opts{};
        opts.size = sizeof opts;
        opts.hint = CHM_HINT_CURRENT;
        opts.name = sdk::str("quic driver");
        if (const chm_rc rc = executor_->vt->spawn(executor_, driver, &opts); rc < 0) {
            delete_unspawned(driver);
            throw sdk::error(rc, "the executor takes no task any more");
        }
        station_->begun = true;
    }
    /// drop() would take the lock that is held.
    void delete_unspawned(chm_task* driver) {
        station_->lock.mutex.unlock();
        driver->vt->drop(driver);
        station_->lock.mutex.lock();
    }

    const std::shared_ptr<station> station_;
    chm_executor* const executor_;
    chm_reactor* const reactor_;
};

class coordinator final : public sdk::coordinator_base<coordinator> {
  public:
    static constexpr std::array schema{
        sdk::enum_option("codec", "flatbuffers", "flatbuffers|json", "how frames are encoded"),
        sdk::enum_option("json_bytes", "numbers", "numbers|base64", "how JSON holds the bytes of a message"),
        sdk::bool_option("batch", "true", "frames of one turn of the executor leave together; false: each by itself"),
        sdk::int_option("batch_frames", "20", 2, 1024, "so many frames do not wait for more"),
        sdk::float_option("linger_us", "0", 0, 1e6, "two frames or more wait so long for others; one never waits"),
        sdk::bool_option("wait_for_all_votes", "false", "a ballot ends only when every member has voted"),
        sdk::enum_option("credentials", "keys", "keys|certificates", "how endpoints prove who they are"),
        sdk::string_option("certificate", "", "PEM file; %n stands for the endpoint's name, \"hub\" or a member's"),
        sdk::string_option("private_key", "", "PEM file; %n as above"),
        sdk::string_option("authorities", "", "PEM file with the certificates to trust"),
        sdk::float_option("connect_ms", "10000", 1, 3.6e6, "a member that is not let in for so long fails"),
        sdk::float_option("idle_ms", "5000", 2000, 3.6e6, "a connection without a packet for so long is lost"),
        sdk::int_option("max_datagram", "1452", 1200, 16384, "largest datagram; over 1452 only for loopback"),
        sdk::int_option("max_connections", "1024", 1, 65535, "of the hub, with those of strangers"),
        sdk::int_option("max_handshakes", "64", 1, 65535, "of the hub, at a time"),
        sdk::int_option("retry_from", "16", 0, 65535, "with so many handshakes, strangers must prove their address"),
        sdk::float_option("link.loss_pct", "0", 0, 99, "simulated link: so many of the datagrams are lost"),
        sdk::float_option("link.delay_us", "0", 0, 1e7, "simulated link: each datagram leaves so much later"),
        sdk::int_option("link.seed", "1", 1, 4294967295.0, "simulated link: of its random choices")};

    coordinator(const chm_host*, const sdk::options& o) {
        options_.link.codec = o.choice("codec") == "json" ? frames::codec_id::json : frames::codec_id::flatbuffers;
        options_.link.body =
            o.choice("json_bytes") == "base64" ? frames::body_text::base64 : frames::body_text::numbers;
        options_.link.batch = o.flag("batch");
        options_.link.batch_frames = static_cast<std::size_t>(o.integer("batch_frames"));
        options_.link.linger_ns = static_cast<std::uint64_t>(o.number("linger_us") * 1e3);
        options_.wait_for_all_votes = o.flag("wait_for_all_votes");
        options_.certificates = o.choice("credentials") == "certificates";
        options_.certificate = o.text("certificate");
        options_.private_key = o.text("private_key");
        options_.authorities = o.text("authorities");
        options_.connect_ns = static_cast<std::uint64_t>(o.number("connect_ms") * 1e6);
        connection_options& c = options_.listen.connection;
        c.handshake_timeout = options_.connect_ns;
        c.idle_timeout = static_cast<std::uint64_t>(o.number("idle_ms") * 1e6);
        c.max_udp_payload = static_cast<std::size_t>(o.integer("max_datagram"));
        c.probe_path = false;
        options_.listen.max_connections = static_cast<std::size_t>(o.integer("max_connections"));
        options_.listen.max_handshakes = static_cast<std::size_t>(o.integer("max_handshakes"));
        options_.listen.retry_from = static_cast<std::size_t>(o.integer("retry_from"));
        options_.link_quality = {o.number("link.loss_pct"), static_cast<std::uint64_t>(o.number("link.delay_us") * 1e3),
                                 static_cast<std::uint64_t>(o.integer("link.seed"))};
        if (options_.certificates)
            for (const char* file : {"certificate", "private_key", "authorities"})
                if (o.text(file).empty())
                    throw sdk::error(CHM_E_INVAL, std::string("option '") + file +
                                                      "': give a PEM file, because credentials = \"certificates\"");
    }

    chm_endpoint* join(const chm_endpoint_args& args) {
        if (args.executor == nullptr || args.reactor == nullptr)
            throw sdk::error(CHM_E_NOSYS, "QUIC needs an executor with a reactor, and this one has none");
        return new quic_endpoint(make_station(args, options_), args);
    }
    static const void* extension(std::string_view) noexcept { return nullptr; }

  private:
    station_options options_;
};

} // namespace chimera::quic

CHIMERA_COORDINATOR_PLUGIN("quic", "1.0", "Groups over QUIC (ngtcp2): one connection between each member and the hub",
                           chimera::quic::coordinator);
