#include "peer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

__attribute__((noreturn)) static void refuse(const char* what) {
    fprintf(stderr,
            "%s\nusage: PEER --url http://ADDRESS:PORT [--agents N] [--requests R] [--tokens-per-reply K] "
            "[--ramp-ms MS]\n",
            what);
    exit(2);
}

static uint32_t whole(const char* text, uint32_t least) {
    char* end;
    const unsigned long value = strtoul(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < least || value > 100000000) refuse("not a number in range");
    return (uint32_t)value;
}

struct load read_load(int argc, char** argv) {
    struct load l = {.agents = 1, .requests = 1, .tokens_per_reply = 100};
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc) refuse("an option without a value");
        const char *name = argv[i], *value = argv[i + 1];
        if (!strcmp(name, "--url")) {
            if (sscanf(value, "http://%63[^:]:%" SCNu16, l.host, &l.port) != 2) refuse("bad --url");
        } else if (!strcmp(name, "--agents")) {
            l.agents = whole(value, 1);
        } else if (!strcmp(name, "--requests")) {
            l.requests = whole(value, 1);
        } else if (!strcmp(name, "--tokens-per-reply")) {
            l.tokens_per_reply = whole(value, 1);
        } else if (!strcmp(name, "--ramp-ms")) {
            l.ramp_ms = whole(value, 0);
        } else {
            refuse(name);
        }
    }
    if (l.port == 0) refuse("--url is missing");
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    return l;
}

void request_body(const struct load* l, char* out, size_t room) {
    snprintf(out, room, "{\"model\":\"m\",\"prompt\":\"Why is the sky blue?\",\"options\":{\"num_predict\":%u}}",
             l->tokens_per_reply);
}

char* request_text(const struct load* l, size_t* size) {
    char body[256];
    request_body(l, body, sizeof body);
    const size_t room = 1024;
    char* text = malloc(room);
    if (!text) abort();
    *size = (size_t)snprintf(text, room,
                             "POST /api/generate HTTP/1.1\r\nHost: %s:%u\r\nContent-Type: application/json\r\n"
                             "Content-Length: %zu\r\n\r\n%s",
                             l->host, l->port, strlen(body), body);
    return text;
}

int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t start_of(const struct load* l, uint32_t i, int64_t start) {
    return start + (int64_t)l->ramp_ms * 1000000 * i / l->agents;
}

static unsigned bucket_of(uint64_t value) {
    if (value < 32) return (unsigned)value;
    const unsigned exponent = 63U - (unsigned)__builtin_clzll(value);
    const unsigned place = (exponent - 4) * 32 + (unsigned)((value >> (exponent - 5)) & 31);
    return place < buckets ? place : buckets - 1;
}

static int64_t bucket_end(unsigned place) {
    if (place < 32) return place;
    const unsigned exponent = place / 32 + 4;
    return (int64_t)((((uint64_t)place % 32 + 33) << (exponent - 5)) - 1);
}

static void add(struct histogram* h, int64_t ns) {
    const int64_t value = ns < 0 ? 0 : ns;
    ++h->count[bucket_of((uint64_t)value)];
    ++h->total;
    if (value > h->max) h->max = value;
}

static double quantile_us(const struct histogram* h, double share) {
    const double wanted = share * (double)h->total;
    uint64_t seen = 0;
    for (unsigned i = 0; i < buckets; ++i) {
        seen += h->count[i];
        if (seen > 0 && (double)seen >= wanted) {
            const int64_t end = bucket_end(i);
            return (double)(end < h->max ? end : h->max) / 1000.0;
        }
    }
    return 0;
}

// The quote that ends a string which begins at `p`; 0: none.
static const char* string_end(const char* p, const char* end) {
    for (const char* quote; (quote = memchr(p, '"', (size_t)(end - p))); p = quote + 1) {
        const char* escape = quote;
        while (escape[-1] == '\\') --escape;
        if ((quote - escape) % 2 == 0) return quote;
    }
    return 0;
}

static int is(const char* key, const char* end, const char* name) {
    return (size_t)(end - key) == strlen(name) && memcmp(key, name, (size_t)(end - key)) == 0;
}

// A flat object without blanks, as the simulator writes it: no tree, no copy, each byte looked at once.
static void take_record(struct reply* r, struct tally* t, const char* p, const char* end, int64_t now) {
    int has_text = 0, has_end = 0;
    int64_t sent = 0;
    while (p + 1 < end && (*p == '{' || *p == ',') && p[1] == '"') {
        const char *key = p + 2, *key_end = string_end(key, end);
        if (!key_end || end - key_end < 3) break;
        p = key_end + 2;
        if (*p == '"') {
            const char* text = p + 1;
            const char* text_end = string_end(text, end);
            if (!text_end) break;
            p = text_end + 1;
            if (is(key, key_end, "response")) has_text = text_end > text;
        } else {
            const char* value = p;
            while (p < end && *p != ',' && *p != '}') ++p;
            if (is(key, key_end, "done")) {
                has_end = 1;
                r->done |= *value == 't';
            } else if (is(key, key_end, "t_ns")) {
                for (; value < p; ++value) sent = sent * 10 + (*value - '0');
            }
        }
    }
    if (p >= end || *p != '}' || !has_end) ++t->errors;
    if (!has_text) return;
    ++t->tokens;
    if (r->tokens++ == 0) add(&t->ttft, now - r->asked);
    if (sent != 0) add(&t->delay, now - sent);
}

static void keep(struct line_rest* rest, const char* bytes, size_t size) {
    if (rest->size + size > rest->room) {
        rest->room = (uint32_t)(rest->size + size + 256);
        rest->bytes = realloc(rest->bytes, rest->room);
        if (!rest->bytes) abort();
    }
    memcpy(rest->bytes + rest->size, bytes, size);
    rest->size += (uint32_t)size;
}

void take_body(struct reply* r, struct tally* t, const char* bytes, size_t size, int64_t now) {
    const char* const end = bytes + size;
    for (const char* line; bytes < end && (line = memchr(bytes, '\n', (size_t)(end - bytes))); bytes = line + 1) {
        if (r->rest.size == 0) {
            take_record(r, t, bytes, line, now);
        } else {
            keep(&r->rest, bytes, (size_t)(line - bytes));
            take_record(r, t, r->rest.bytes, r->rest.bytes + r->rest.size, now);
            r->rest.size = 0;
        }
    }
    if (bytes < end) keep(&r->rest, bytes, (size_t)(end - bytes));
}

int print_result(const char* client, const struct load* l, const struct tally* t, int64_t ended) {
    const uint64_t missing = (uint64_t)l->agents * l->requests - t->replies;
    printf("{\"client\": \"%s\", \"agents\": %u, \"tokens\": %" PRIu64 ", \"errors\": %" PRIu64
           ", \"wall_s\": %.6f, \"ttft_us_p50\": %.1f, \"delay_us_p50\": %.1f, \"delay_us_p99\": %.1f, "
           "\"delay_us_max\": %.1f}\n",
           client, l->agents, t->tokens, t->errors + missing, (double)(ended - t->began) * 1e-9,
           quantile_us(&t->ttft, 0.5), quantile_us(&t->delay, 0.5), quantile_us(&t->delay, 0.99),
           (double)t->delay.max / 1000.0);
    return t->errors + missing == 0 ? 0 : 1;
}
