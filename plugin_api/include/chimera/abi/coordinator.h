/** @file
 * chimera/abi/coordinator.h: messages and decisions of a group of agents. C99. Since 1.2.
 *
 * A group is one hub and n members, numbered from 0. Each of them is an endpoint; they live in one process, or in several.
 * Endpoints send messages to each other. Members propose actions and vote on them; the hub puts the proposals in order and
 * counts the votes. The hub does not vote.
 *
 * Example: a member that approves every proposal, from inside the poll of its task.
 * @code{.c}
 * static chm_rc approve_all(chm_endpoint *member, chm_waker *waker, chm_error *error) {
 *     chm_group_event event = {.size = sizeof event};
 *     chm_rc rc;
 *     while ((rc = member->vt->poll_event(member, waker, &event, error)) == CHM_READY)
 *         if (event.kind == CHM_EVENT_PROPOSAL) {
 *             const chm_rc voted = member->vt->vote(member, event.proposal, 1, error);
 *             if (voted < 0 && voted != CHM_E_STATE) return voted; // CHM_E_STATE: it is decided already
 *         }
 *     return rc; // CHM_PENDING, CHM_END or an error
 * }
 * @endcode */
#ifndef CHIMERA_ABI_COORDINATOR_H
#define CHIMERA_ABI_COORDINATOR_H

#include "executor.h"
#include "reactor.h"

CHM_BEGIN

typedef struct chm_coordinator chm_coordinator;
typedef struct chm_endpoint chm_endpoint;

/** Numbers of endpoints that are not a member's. */
enum {
    CHM_TO_HUB = -1, /**< the hub */
    CHM_TO_ALL = -2  /**< every endpoint but the sender. Only as a receiver */
};

/** How many votes an action needs. n: members of the group, present or not. */
enum {
    CHM_CLASS_LOW = 1,     /**< floor(n/2) + 1, one phase */
    CHM_CLASS_MEDIUM = 2,  /**< three quarters of n, rounded up, one phase */
    CHM_CLASS_HIGH = 3,    /**< floor(2n/3) + 1, two phases, signed votes; n >= 4 */
    CHM_CLASS_CRITICAL = 4 /**< as high; the class of every action that the group does not know */
};

/** An action and its class. OWNERSHIP: borrowed for the call, and copied. */
typedef struct chm_group_action {
    chm_str name;    /**< the action's text in propose */
    uint32_t level;  /**< CHM_CLASS_* */
    uint32_t flags;  /**< zero */
} chm_group_action;

/** Arguments of join. The caller fills them. All endpoints of a group are given the same group, epoch, members and actions.
 * Rationale: an action's class comes from here, never from the text of a proposal. So nobody can ask for an easy vote. */
typedef struct chm_endpoint_args {
    uint32_t size;                   /**< sizeof(chm_endpoint_args) when the caller was compiled */
    int32_t self;                    /**< the number of this member, or CHM_TO_HUB */
    chm_executor *executor;          /**< its workers poll the endpoint's task */
    chm_reactor *reactor;            /**< for I/O and timers. NULL: CHM_E_NOSYS, unless the group is within the process */
    chm_str group;                   /**< the group's name */
    uint64_t epoch;                  /**< of the membership; an endpoint of another epoch is refused */
    const chm_str *members;          /**< their names, in the order of their numbers */
    const chm_group_action *actions; /**< may be NULL if n_actions is 0 */
    uint32_t n_members;              /**< at least 1 */
    uint32_t n_actions;              /**< number of actions */
    chm_str address;                 /**< the hub's: "host:port". The hub binds it; port 0: any (see address) */
    chm_str key;                     /**< lines "name hex": the hub has each member's key, a member its own. Never logged */
    uint64_t decision_ns;            /**< a proposal that is not decided within this time is aborted. 0: 10 s */
    uint32_t max_message;            /**< the longest message in bytes. 0: 1 MiB */
    uint32_t max_queue;              /**< how many messages of one sender may be on their way to one receiver, or wait for its
                                          poll_receive. 0: 1024 */
} chm_endpoint_args;

/** A message. The caller sets size; the callee writes nothing behind it. OWNERSHIP: the endpoint's; valid until the next call
 * on it. */
typedef struct chm_message {
    uint32_t size;    /**< sizeof(chm_message) when the caller was compiled */
    int32_t from;     /**< the sender's number */
    uint32_t channel; /**< as the sender gave it */
    int32_t to;       /**< the receiver as the sender gave it: CHM_TO_ALL, or this endpoint's number */
    uint64_t seq;     /**< without gaps for each sender, `to` and channel; from 1, unless the receiver joined later */
    uint64_t sent_ns; /**< CLOCK_MONOTONIC of the sender's machine when it was taken; 0: unknown */
    chm_str body;     /**< may be empty */
} chm_message;

/** Kinds of events. Ignore an unknown kind. */
enum {
    CHM_EVENT_UP = 1,          /**< `who` has joined */
    CHM_EVENT_DOWN = 2,        /**< `who` has left, or its connection is lost */
    CHM_EVENT_PROPOSAL = 3,    /**< vote on `proposal`. Only at members; the proposer gets it too */
    CHM_EVENT_EQUIVOCATION = 4 /**< `who` has cast two votes that contradict each other; the first counts */
};

/** An event. The caller sets size. OWNERSHIP: as chm_message. */
typedef struct chm_group_event {
    uint32_t size;     /**< sizeof(chm_group_event) when the caller was compiled */
    uint32_t kind;     /**< CHM_EVENT_* */
    int32_t who;       /**< a member's number, or CHM_TO_HUB. Of a proposal: the proposer */
    uint32_t level;    /**< CHM_CLASS_* of the proposal */
    uint64_t proposal; /**< of PROPOSAL and EQUIVOCATION: its number */
    chm_str action;    /**< of PROPOSAL */
    chm_str body;      /**< of PROPOSAL */
} chm_group_event;

/** Ends of a proposal. Two endpoints never report APPROVED and REJECTED of one proposal. */
enum {
    CHM_APPROVED = 1, /**< enough members voted yes */
    CHM_REJECTED = 2, /**< so many voted no that enough yes can no longer come */
    CHM_ABORTED = 3   /**< this endpoint learned no outcome within the time limit. It learns none later */
};

/** A decision. The caller sets size. OWNERSHIP: as chm_message. */
typedef struct chm_decision {
    uint32_t size;       /**< sizeof(chm_decision) when the caller was compiled */
    uint32_t outcome;    /**< CHM_APPROVED, CHM_REJECTED, CHM_ABORTED */
    uint32_t yes;        /**< votes counted when the outcome was certain. Of ABORTED: unknown, 0 */
    uint32_t no;         /**< the same */
    uint32_t phases;     /**< that were begun: 1 or 2 */
    uint32_t level;      /**< CHM_CLASS_* */
    chm_str certificate; /**< in class high and critical, unless ABORTED: the signed votes, in the plugin's own layout */
} chm_decision;

/** What an endpoint has done since it joined. Times are CPU work, not waiting. The caller sets size. */
typedef struct chm_endpoint_stats {
    uint32_t size;              /**< sizeof(chm_endpoint_stats) when the caller was compiled */
    uint32_t flags;             /**< zero */
    uint64_t messages_sent;     /**< taken by poll_send */
    uint64_t messages_received; /**< given out by poll_receive */
    uint64_t frames_sent;       /**< messages, votes and everything else */
    uint64_t writes;            /**< system calls that sent something; 0 within a process */
    uint64_t bytes_sent;        /**< as the network sees them; 0 within a process */
    uint64_t lost;              /**< packets that were lost and sent again */
    uint64_t serialize_ns;      /**< encoding and decoding */
    uint64_t network_ns;        /**< packets, encryption and system calls */
    uint64_t decide_ns;         /**< proposals, votes, signatures, certificates */
    uint64_t driver_ns;         /**< all work of the endpoint outside its caller's calls, with the three above as far as
                                   they happen there */
} chm_endpoint_stats;

/** Functions of an endpoint. Frozen: new behaviour comes as an extension.
 *
 * - An endpoint belongs to one task. It makes progress while that task waits for something else: nothing has to be flushed,
 *   and nothing polled, for what was taken to leave.
 * - A message that poll_send has taken arrives once, after those that the same sender has sent to the same receiver on the
 *   same channel; also if the sender closes. It is lost only if the receiver goes down.
 * - Wakers are cloned, never woken under a lock. Each poll function has a waker of its own: the last one that it was given.
 * - ZERO TRAP: CHM_OK means CHM_PENDING in all functions named poll (see chm_rc). */
typedef struct chm_endpoint_vt {
    uint32_t size;  /**< sizeof(chm_endpoint_vt) when the plugin was compiled */
    uint32_t flags; /**< zero */
    /** [task-worker] CHM_READY: a member is in the group, the hub listens. Again CHM_READY when called again.
     * Errors: CHM_E_RESOLVE, CHM_E_CONNECT (nobody listens, or the port is in use), CHM_E_TLS (the key is not the group's),
     * CHM_E_PROTO (another group, epoch, membership or version), CHM_E_TIMEOUT. */
    chm_rc (*poll_ready)(chm_endpoint *, chm_waker *waker, chm_error *) CHM_NX;
    /** [task-worker & ready] The hub's address, with its port. Of a group within the process: empty.
     * OWNERSHIP: the endpoint's; valid until close. */
    chm_str (*address)(chm_endpoint *) CHM_NX;
    /** [task-worker & ready] CHM_READY: the parts, one after the other, were copied as one message; *seq, if not NULL, is its
     * number. CHM_PENDING: max_queue messages wait for a receiver, nothing was taken, and the waker
     * will be woken when there is room. Errors: CHM_E_LIMIT (longer than max_message), CHM_E_INVAL (no such receiver, or the
     * sender itself), CHM_E_CLOSED (the receiver is down, or the hub is gone). */
    chm_rc (*poll_send)(chm_endpoint *, chm_waker *waker, int32_t to, uint32_t channel, const chm_str *parts, size_t n_parts,
                        uint64_t *seq, chm_error *) CHM_NX;
    /** [task-worker & ready] CHM_READY: the next message. CHM_END: nobody is left who could send one: at a member, the hub has
     * closed. Errors: CHM_E_CLOSED (the connection to the hub is lost); what had arrived before comes first. */
    chm_rc (*poll_receive)(chm_endpoint *, chm_waker *waker, chm_message *, chm_error *) CHM_NX;
    /** [task-worker & ready] The next event. As poll_receive. Events are never dropped, except all but the newest 1024 of a
     * task that does not ask for them. */
    chm_rc (*poll_event)(chm_endpoint *, chm_waker *waker, chm_group_event *, chm_error *) CHM_NX;
    /** [task-worker & ready] Proposes an action of a member; body is what it is about. *proposal is its number in the whole
     * group. Errors: CHM_E_STATE (only members propose; or the class needs more members than the group has), CHM_E_LIMIT
     * (body is longer than max_message, or too many proposals are open), CHM_E_CLOSED. */
    chm_rc (*propose)(chm_endpoint *, chm_str action, chm_str body, uint64_t *proposal, chm_error *) CHM_NX;
    /** [task-worker & ready] Votes on a proposal that came as an event. yes: 0 or 1. Errors: CHM_E_STATE (voted already, or it
     * has ended), CHM_E_INVAL (no such proposal), CHM_E_CLOSED. */
    chm_rc (*vote)(chm_endpoint *, uint64_t proposal, int32_t yes, chm_error *) CHM_NX;
    /** [task-worker & ready] CHM_READY: the proposal has ended. Known at the proposer at once, at others from the event on;
     * the newest 1024 that have ended stay known. A proposal ends within its time limit, whatever is lost: also when the hub
     * is gone. Errors: CHM_E_INVAL (no such proposal). */
    chm_rc (*poll_decision)(chm_endpoint *, chm_waker *waker, uint64_t proposal, chm_decision *, chm_error *) CHM_NX;
    /** [task-worker & ready] CHM_READY: all members that are in the group have called it with this name. A member that goes
     * down is not waited for. The next call with the name begins the next round. Errors: CHM_E_STATE (the hub called it, or
     * the member waits at another barrier), CHM_E_CLOSED. */
    chm_rc (*poll_barrier)(chm_endpoint *, chm_waker *waker, chm_str name, chm_error *) CHM_NX;
    /** [task-worker & ready] The clock of `who` minus one's own, from the exchange with the shortest way; *bound_ns: the error
     * is at most this. A member asks about the hub, the hub about a member. Errors: CHM_E_STATE (nothing was measured yet),
     * CHM_E_INVAL. */
    chm_rc (*clock_offset)(chm_endpoint *, int32_t who, int64_t *offset_ns, uint64_t *bound_ns, chm_error *) CHM_NX;
    /** [task-worker] Fills the caller's struct. */
    void (*stats)(chm_endpoint *, chm_endpoint_stats *) CHM_NX;
    /** [task-worker] Leaves the group and frees the endpoint. Never blocks: what was taken is sent afterwards, for a second at
     * most. No waker is woken afterwards. The hub's close ends the group for its members. */
    void (*close)(chm_endpoint *) CHM_NX;
} chm_endpoint_vt;

/** One hub or member. OWNERSHIP: the caller's of join, who closes it before its coordinator is destroyed. */
struct chm_endpoint {
    const chm_endpoint_vt *vt; /**< never NULL, never changed */
};

/** Flags of a coordinator's table. */
enum {
    CHM_COORDINATOR_IN_PROCESS = 1 /**< its groups live within one coordinator; address and key are ignored */
};

/** Functions of a coordinator. Frozen: new behaviour comes as an extension. */
typedef struct chm_coordinator_vt {
    uint32_t size;  /**< sizeof(chm_coordinator_vt) when the plugin was compiled */
    uint32_t flags; /**< CHM_COORDINATOR_* */
    /** [task-worker] Makes an endpoint. Does no I/O and no registration yet. Errors: CHM_E_INVAL (names a fault of the
     * arguments: no members, a name twice, self out of range, a key that is missing or not hex, an action of class high or
     * critical in a group of fewer than 4), CHM_E_NOSYS (a reactor is needed and missing), CHM_E_STATE (self has joined
     * already), CHM_E_AFFINITY. */
    chm_rc (*join)(chm_coordinator *, const chm_endpoint_args *, chm_endpoint **out, chm_error *) CHM_NX;
    /** [any-thread] Frees everything. Call it after all endpoints are closed and their executors have ended. */
    void (*destroy)(chm_coordinator *) CHM_NX;
    /** [any-thread] Returns an extension, or NULL. Accepts any string. Always gives the same answer. */
    const void *(*get_extension)(chm_coordinator *, const char *id) CHM_NX;
} chm_coordinator_vt;

/** Makes the endpoints of groups. OWNERSHIP: the caller's of create, who destroys it after its endpoints. */
struct chm_coordinator {
    const chm_coordinator_vt *vt; /**< never NULL, never changed */
};

/** chm_plugin_entry.get_factory(CHM_FACTORY_COORDINATOR) returns a const chm_coordinator_factory *. */
#define CHM_FACTORY_COORDINATOR "chimera.coordinator.factory/1"

/** Makes coordinators. OWNERSHIP: static storage of the plugin. */
typedef struct chm_coordinator_factory {
    uint32_t size;             /**< sizeof(chm_coordinator_factory) when the plugin was compiled */
    uint32_t n_options;        /**< number of options. 0: options may be NULL */
    const chm_option *options; /**< the options of an instance. OWNERSHIP: static storage of the plugin */
    /** [any-thread & initialized] Makes a coordinator. Errors: CHM_E_INVAL for a bad option, or any other code with a message.
     * After an error *out is unchanged. OWNERSHIP: *out is the caller's until destroy. The host outlives it. */
    chm_rc (*create)(const chm_host *, const chm_config *, chm_coordinator **out, chm_error *) CHM_NX;
} chm_coordinator_factory;

CHM_END_DECLS
#endif
