// await = "channel": a session here, and a task on the foreign executor that owns the inner session.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge.hpp"
#include "channel.hpp"
#include "chimera/abi/transport.h"
#include "chimera/sdk/error.hpp"
#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/text.hpp"

namespace chimera::async_std_bridge {

namespace {

// --- the foreign executor ---

/// Shared by all far ends of one bridge.
struct far_side {
    chm_executor* foreign;
    chm_reactor* reactor; // the foreign one's
    chm_transport* inner;
    const chm_timing_ext* timing; // the inner transport's, or nullptr
    std::size_t capacity;
    std::shared_ptr<session_count> open_sessions;
};

class far_end final : public chm_task {
  public:
    far_end(const far_side& side, std::string base_url, std::shared_ptr<channel> link)
        : chm_task{&vtable}, side_(side), base_url_(std::move(base_url)), link_(std::move(link)) {}
    far_end(const far_end&) = delete;
    far_end& operator=(const far_end&) = delete;

  private:
    struct uncount {
        void operator()(session_count* sessions) const noexcept { sessions->remove(); }
    };
    /// Takes the count back where no session came of it, also when memory runs out meanwhile.
    using counted_opening = std::unique_ptr<session_count, uncount>;

    chm_rc poll(chm_waker* waker) {
        for (std::size_t pulled = 0;;) {
            switch (link_->next(open_, waker)) {
            case channel::step::finish:
                close_session();
                return CHM_READY;
            case channel::step::cancel:
                close_exchange();
                break;
            case channel::step::begin:
                begin();
                break;
            case channel::step::wait:
                return CHM_PENDING;
            case channel::step::pull:
                if (pulled++ == side_.capacity) { // others of the foreign executor have their turn
                    waker->vt->wake_by_ref(waker);
                    return CHM_PENDING;
                }
                if (!pull(waker)) return CHM_PENDING;
                break;
            }
        }
    }

    void begin() {
        // Counted before the request is taken. So once the exchange is closed and the count is zero, the inner
        // transport is not touched any more.
        counted_opening opening;
        if (!session_) {
            side_.open_sessions->add();
            opening.reset(side_.open_sessions.get());
        }
        sdk::error_buffer err;
        if (auto taken = link_->take_request()) {
            open_ = taken->first;
            chm_rc rc = session_ ? CHM_OK : open_session(opening, err);
            if (rc == CHM_OK)
                rc = taken->second.with(
                    [&](const chm_request& r) { return session_->vt->start(session_, &r, &exchange_, err.abi()); });
            if (rc < 0) end(rc, err.text());
        }
    }
    chm_rc open_session(counted_opening& opening, sdk::error_buffer& err) noexcept {
        const chm_session_args args{sizeof args, 0, side_.foreign, side_.reactor, sdk::str(base_url_)};
        const chm_rc rc = side_.inner->vt->open(side_.inner, &args, &session_, err.abi());
        if (session_) static_cast<void>(opening.release()); // counted until close_session()
        return rc;
    }

    /// One step of the open exchange; false: the inner transport is pending.
    bool pull(chm_waker* waker) {
        chm_error err{text_.data(), text_.size()};
        text_[0] = '\0';
        if (!head_given_) {
            chm_head head{};
            head.size = sizeof head;
            const chm_rc rc = exchange_->vt->poll_head(exchange_, waker, &head, &err);
            if (rc == CHM_PENDING) return false;
            if (rc < 0) return end(rc, text_.data()), true;
            head_given_ = true;
            link_->give_head(open_, head, timing());
            return true;
        }
        chm_str bytes{};
        const chm_rc rc = exchange_->vt->poll_chunk(exchange_, waker, &bytes, &err);
        if (rc == CHM_PENDING) return false;
        if (rc == CHM_READY)
            link_->give_chunk(open_, bytes, timing());
        else
            end(rc, text_.data());
        return true;
    }

    /// The exchange is over. Closed before that is told, so that the next one finds the connection free.
    void end(chm_rc result, std::string_view text) {
        const chm_exchange_timing at_end = timing();
        const std::uint64_t number = open_;
        close_exchange();
        link_->give_result(number, result, std::string(text), at_end);
    }

    chm_exchange_timing timing() const noexcept {
        chm_exchange_timing t{};
        t.size = sizeof t;
        if (side_.timing && exchange_) side_.timing->read(exchange_, &t);
        return t;
    }

    void close_exchange() noexcept {
        if (exchange_) exchange_->vt->close(std::exchange(exchange_, nullptr));
        open_ = 0;
        head_given_ = false;
    }
    void close_session() noexcept {
        close_exchange();
        if (!session_) return;
        session_->vt->close(std::exchange(session_, nullptr));
        side_.open_sessions->remove();
    }

    static chm_rc poll_thunk(chm_task* t, chm_waker* waker) noexcept {
        // Out of memory is the one exception here; the drop that follows tells the near end.
        return sdk::guarded(nullptr, [&] { return static_cast<far_end*>(t)->poll(waker); });
    }
    static void drop_thunk(chm_task* t) noexcept {
        const std::unique_ptr<far_end> self(static_cast<far_end*>(t));
        self->close_session();
        self->link_->far_end_gone();
    }
    static constexpr chm_task_vt vtable{poll_thunk, drop_thunk};

    const far_side side_;
    const std::string base_url_;
    const std::shared_ptr<channel> link_;
    chm_session* session_ = nullptr;
    chm_exchange* exchange_ = nullptr;
    std::uint64_t open_ = 0; // its number in the channel
    bool head_given_ = false;
    std::array<char, 512> text_{};
};

/// Spawns the task that serves `link`: it opens the inner session with the first request, pulls responses into the
/// channel, and ends when the channel is closed. All calls on the inner transport's objects happen in its polls and in
/// its drop, so an affine reactor is good enough. Throws sdk::error when the foreign executor takes no task.
void spawn_far_end(const far_side& side, std::string base_url, std::shared_ptr<channel> link) {
    auto task = std::make_unique<far_end>(side, std::move(base_url), std::move(link));
    if (const chm_rc rc = side.foreign->vt->spawn(side.foreign, task.get(), nullptr); rc < 0)
        throw sdk::error(rc, "the foreign executor takes no task; was it stopped?");
    static_cast<void>(task.release());
}

// --- here ---

/// Near end of a channel. Used on its task's worker.
class channel_session final : public sdk::session_base<channel_session> {
  public:
    channel_session(std::shared_ptr<channel> link, std::uint32_t yield_every)
        : link_(std::move(link)), yield_every_(yield_every) {}
    channel_session(const channel_session&) = delete;
    channel_session& operator=(const channel_session&) = delete;
    ~channel_session() { link_->close(); }

    chm_exchange* start(const chm_request& request);

  private:
    class exchange;

    const std::shared_ptr<channel> link_;
    const std::uint32_t yield_every_;
};

class channel_session::exchange final : public bridged_exchange {
  public:
    exchange(channel& link, std::uint32_t yield_every) noexcept : bridged_exchange(yield_every), link_(link) {}

  private:
    chm_rc poll_head(chm_waker* waker, chm_head* head, chm_error* err) noexcept override {
        return sdk::guarded(err, [&]() -> chm_rc {
            const chm_rc rc = link_.take_head(waker, head_, why_);
            if (rc < 0) return failed(rc, err);
            if (rc == CHM_PENDING) return rc;
            timing_ = head_.timing;
            for (const auto& [key, value] : head_.headers) headers_.push_back({sdk::str(key), sdk::str(value)});
            head->status = head_.status;
            head->headers = headers_.data();
            head->n_headers = headers_.size();
            return CHM_READY;
        });
    }
    chm_rc poll_chunk(chm_waker* waker, chm_str* view, chm_error* err) noexcept override {
        return sdk::guarded(err, [&]() -> chm_rc {
            const chm_rc rc = link_.take_chunk(waker, current_, why_);
            if (rc < 0) return failed(rc, err);
            if (rc == CHM_END) timing_ = link_.final_timing();
            if (rc != CHM_READY) return rc;
            timing_ = current_.timing;
            *view = sdk::str(current_.bytes);
            return CHM_READY;
        });
    }
    void close() noexcept override {
        link_.close_exchange();
        delete this;
    }
    void read_timing(chm_exchange_timing* out) const noexcept override { sdk::copy_timing(out, timing_); }
    chm_rc failed(chm_rc rc, chm_error* err) {
        timing_ = link_.final_timing();
        return sdk::fail(err, rc, why_);
    }

    channel& link_; // the session's, which outlives its exchange
    head_copy head_;
    std::vector<chm_kv> headers_;
    chunk_copy current_;
    chm_exchange_timing timing_{};
    std::string why_;
};

chm_exchange* channel_session::start(const chm_request& request) {
    auto opened = std::make_unique<exchange>(*link_, yield_every_);
    link_->post(request);
    return opened.release();
}

/// "channel".
class channel_bridge final : public sdk::transport_base<channel_bridge> {
  public:
    channel_bridge(chm_executor& foreign, chm_reactor& reactor, chm_transport& inner, const bridge_settings& settings)
        : settings_(settings), side_{&foreign,
                                     &reactor,
                                     &inner,
                                     timing_of(inner),
                                     settings.channel_capacity,
                                     std::make_shared<session_count>()} {}
    channel_bridge(const channel_bridge&) = delete;
    channel_bridge& operator=(const channel_bridge&) = delete;
    /// The sessions here are closed; those on the foreign executor, which were told, are waited for: once this returns,
    /// the inner transport may be destroyed.
    ~channel_bridge() { side_.open_sessions->wait_for_none(); }

    chm_session* open(const chm_session_args& args) {
        auto link = std::make_shared<channel>(settings_.channel_capacity);
        auto session = std::make_unique<channel_session>(link, settings_.yield_every);
        spawn_far_end(side_, std::string(sdk::view(args.base_url)), link);
        return session.release();
    }
    const void* extension(std::string_view id) const noexcept {
        return side_.timing && id == CHM_EXT_TIMING ? &bridged_exchange::timing_extension : nullptr;
    }

  private:
    const bridge_settings settings_;
    const far_side side_;
};

} // namespace

chm_transport* make_channel_bridge(chm_executor& foreign, chm_reactor& reactor, chm_transport& inner,
                                   const bridge_settings& settings) {
    return new channel_bridge(foreign, reactor, inner, settings);
}

} // namespace chimera::async_std_bridge
