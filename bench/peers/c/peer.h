// Shared by the C peers: the command line, the scan of a record, and the result line. One thread.
#ifndef CHIMERA_BENCH_PEER_H
#define CHIMERA_BENCH_PEER_H

#include <stddef.h>
#include <stdint.h>

/// The load, as ../README.md has it.
struct load {
    char host[64];
    uint16_t port;
    uint32_t agents, requests, tokens_per_reply, ramp_ms;
};

/// Exits with status 2 when the command line is wrong. Raises the limit of file descriptors as far as it may.
struct load read_load(int argc, char** argv);

/// The whole HTTP/1.1 request that makes the server generate; `size` is set to its length. The caller frees it.
char* request_text(const struct load* l, size_t* size);
/// Only its JSON body.
void request_body(const struct load* l, char* out, size_t room);

/// CLOCK_MONOTONIC, the clock of `t_ns`.
int64_t now_ns(void);

/// When agent `i` makes its first request, if the load began at `start`.
int64_t start_of(const struct load* l, uint32_t i, int64_t start);

enum { buckets = 45 * 32 };

/// Durations in buckets no wider than 1/32 of their value.
struct histogram {
    uint64_t count[buckets];
    uint64_t total;
    int64_t max;
};

/// Counts so far, of all agents.
struct tally {
    uint64_t tokens, replies, errors;
    struct histogram delay, ttft;
    int64_t began;
};

/// Bytes of one reply's body that do not end a record yet.
struct line_rest {
    char* bytes; // 0: none so far
    uint32_t size, room;
};

/// One reply in progress.
struct reply {
    struct line_rest rest;
    int64_t asked;
    uint32_t tokens;
    uint8_t done;
};

/// Counts the records that end in these bytes of the body, which were read at `now`; keeps the rest.
void take_body(struct reply* r, struct tally* t, const char* bytes, size_t size, int64_t now);

/// Prints the one JSON line on standard output and returns the exit status.
int print_result(const char* client, const struct load* l, const struct tally* t, int64_t ended);

#endif
