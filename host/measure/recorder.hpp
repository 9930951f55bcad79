// Records one agent while it runs. No lock, no allocation for a token.
#pragma once

#include "measure/agent_observer.hpp"
#include "measure/reply_evidence.hpp"
#include "measure/timeline.hpp"

#include <chimera/sdk/clock.hpp>

#include <algorithm>
#include <atomic>
#include <span>
#include <string>
#include <utility>

namespace chimera::host {

/// Owned by whoever runs the agent; written only from the agent's polls, so by one thread at a time; read when the
/// agent is done. Room for the expected events is reserved beforehand; a longer reply makes it grow.
class recorder {
  public:
    /// expected_chunks: room for this many pieces without an allocation, over all requests; 0: pieces of bodies are not
    /// timed. tokens: a counter that all
    /// agents of an execution share, for showing progress; outlives this object.
    recorder(std::string agent_id, double long_poll_ms, std::size_t expected_chunks, std::atomic<std::uint64_t>& tokens)
        : threshold_(static_cast<nanoseconds_t>(long_poll_ms * 1e6)), times_pieces_(expected_chunks != 0),
          tokens_(tokens) {
        record_.id = std::move(agent_id);
        record_.chunks.reserve(expected_chunks);
    }
    recorder(const recorder&) = delete;
    recorder& operator=(const recorder&) = delete;

    bool times_pieces() const noexcept { return times_pieces_; }
    agent_record& record() noexcept { return record_; }
    agent_stage stage() const noexcept { return stage_; }
    /// Who is told of the agent's start and end and of its requests; they outlive this object. Before the first poll.
    void tell(std::span<agent_observer* const> observers) noexcept { observers_ = observers; }
    /// The agent holds its permit.
    void starts() noexcept {
        record_.granted = std::max(record_.permit_asked, runnable_);
        record_.start = sdk::now_ns();
        for (agent_observer* o : observers_) o->agent_starts();
    }
    /// Its work is done, or has failed.
    void ends() noexcept {
        record_.end = sdk::now_ns();
        for (agent_observer* o : observers_) o->agent_ends();
    }
    /// A piece of the body has been delivered, where pieces are not timed; otherwise chunk() says so.
    void count(request_record& r, nanoseconds_t delivered, std::uint32_t content_records) noexcept {
        if (content_records == 0) return;
        if (r.first_token == 0) r.first_token = delivered;
        r.last_token = delivered;
        r.content_records += content_records;
        tokens_.fetch_add(content_records, std::memory_order_relaxed);
    }

    /// What the agent does from now on. Called a few times for a request, never for a token.
    void stage(agent_stage next) noexcept {
        close_stage(sdk::now_ns());
        stage_ = next;
    }

    /// A poll begins. runnable: when it became possible, 0 if nobody woke the task. The first poll is left to
    /// split_loss: how late an agent starts is not a delay inside its run.
    void poll_begins(nanoseconds_t runnable, nanoseconds_t now) {
        poll_begin_ = now;
        runnable_ = runnable != 0 ? runnable : now;
        first_of_poll_ = true;
        stage_since_ = now;
        longest_ns_ = 0;
        if (record_.first_polled == 0) record_.first_polled = now;
        ++record_.polls;
        const nanoseconds_t late = now > runnable_ ? now - runnable_ : 0; // may be longer than 32 bits hold
        record_.runnable += late;
        arrival_floor_ = runnable_;
        sending_delay_of_poll_ = 0;
        if (stage_ == agent_stage::first_byte)
            sending_delay_ += sending_delay_of_poll_ = late;
        else if (stage_ == agent_stage::end_of_body)
            record_.requests.back().drain_delay += late;
        else if (stage_ != agent_stage::waiting_for_permit && stage_ != agent_stage::body)
            record_.work_delay += late;
        if (late > threshold_) record_.late_polls.push_back({runnable_, now});
    }
    void poll_ends(nanoseconds_t now) {
        record_.in_polls += now - poll_begin_;
        poll_ended_ = now;
        if (now - poll_begin_ <= threshold_) return;
        close_stage(now);
        record_.long_polls.push_back({poll_begin_, now, longest_stage_});
    }

    request_record& begin_request(std::string call) {
        request_record& r = record_.requests.emplace_back();
        r.call = std::move(call);
        r.first_chunk = record_.chunks.next();
        sending_delay_ = 0;
        return r;
    }
    /// The head of the response is there, in this poll, which is therefore no delay of the request's way out. readable:
    /// when the transport learned of it; 0 if it cannot say.
    void head(request_record& r, nanoseconds_t readable) noexcept {
        r.sending_delay = sending_delay_ - std::exchange(sending_delay_of_poll_, 0);
        if (readable >
            poll_begin_) { // it was awaited inside this poll: what comes with it has not been there for longer
            first_of_poll_ = false;
            last_recorded_ = arrival_floor_ = readable;
        }
        stage(agent_stage::body);
    }
    /// The request's record is complete: judges the reply.
    void end_request(request_record& r) {
        r.kept_bytes = r.prompt.capacity() + r.response.capacity() + r.reasoning.capacity();
        if (r.ok()) judge_reply(record_, r);
        for (agent_observer* o : observers_) o->request_ends(record_, r);
    }
    /// A piece of the body has been delivered and parsed. arrived: when the transport says that it could be read (the
    /// kernel's receive time, or the end of a wait inside the poll); 0 if it cannot say.
    ///
    /// Its delay counts from the wake that led to the poll, for a later piece of the same poll from the end of the one
    /// before it, and from its arrival where that came even later: so no time is counted twice, and clients whose
    /// transports know arrivals compare with those whose do not. What passed before that is arrived_to_readable.
    ///
    /// stamped: the moment of sending (sdk::now_ns's clock) that the first record in it names; 0 if none does.
    /// behind_others: for how long, from its arrival on, others' bytes stood before it on a shared connection.
    void chunk(request_record& r, nanoseconds_t arrived, nanoseconds_t delivered, nanoseconds_t recorded,
               std::uint32_t content_records, nanoseconds_t stamped = 0, nanoseconds_t behind_others = 0) {
        nanoseconds_t readable = std::exchange(first_of_poll_, false) ? runnable_ : last_recorded_;
        // Bytes that an earlier poll had within reach, and that more bytes woke this one for: the transport kept them
        // back. Of a shared connection an earlier poll had nothing within reach: others read it.
        const bool kept = !r.shared && arrived != 0 && arrived < poll_ended_ && runnable_ >= poll_ended_;
        if (arrived > readable) readable = arrived;
        // What was delivered without a wait and without a stamp had arrived at some time since the last stamp.
        if (arrived != 0 && !kept) arrival_floor_ = arrived;
        if (r.done == 0) {
            r.arrived = arrival_floor_;
            r.polled = std::max(poll_begin_, arrival_floor_);
            r.delivered = delivered;
            r.behind_others = behind_others;
        }
        const nanoseconds_t polled = std::max(poll_begin_, readable);
        const std::uint32_t before = arrived != 0 ? delay_between(arrived, readable) : 0;
        record_.chunks.push_back(
            {delivered, delay_between(readable, polled), delay_between(polled, delivered) + (kept ? before : 0),
             delay_between(delivered, recorded), content_records, kept ? 0 : before,
             stamped != 0 ? delay_between(stamped, recorded) : 0, delay_between(0, behind_others)});
        ++r.chunks;
        last_recorded_ = recorded;
        count(r, delivered, content_records);
    }

  private:
    /// A long poll is named for the stage in which it spent most of its time.
    void close_stage(nanoseconds_t now) noexcept {
        if (now - stage_since_ >= longest_ns_) {
            longest_ns_ = now - stage_since_;
            longest_stage_ = stage_;
        }
        stage_since_ = now;
    }

    agent_record record_;
    nanoseconds_t threshold_;
    const bool times_pieces_;
    std::atomic<std::uint64_t>& tokens_;
    std::span<agent_observer* const> observers_;
    nanoseconds_t poll_begin_ = 0, poll_ended_ = 0, runnable_ = 0, last_recorded_ = 0;
    nanoseconds_t arrival_floor_ = 0;
    nanoseconds_t sending_delay_ = 0, sending_delay_of_poll_ = 0; // of the request under way
    bool first_of_poll_ = false;
    agent_stage stage_ = agent_stage::waiting_for_permit;
    // Of the poll in progress:
    agent_stage longest_stage_ = agent_stage::waiting_for_permit;
    nanoseconds_t stage_since_ = 0, longest_ns_ = 0;
};

} // namespace chimera::host
