/** @file
 * chimera/sdk/http1.h: a parser for HTTP/1.1 responses and for base URLs, for authors of transports. C99 and C++. It
 * does no I/O and allocates nothing. One thread at a time.
 *
 * Example: parse a response that has arrived in one piece, and print its body.
 * @code{.c}
 * #include <stdio.h>
 *
 * static chm_rc print_response(chm_str received) {
 *     static chm_http1 response;
 *     chm_str piece;
 *     chm_rc rc;
 *     chm_http1_begin(&response, 0);
 *     while ((rc = chm_http1_next(&response, &received, &piece)) == CHM_READY)
 *         printf("%.*s", (int)piece.len, piece.ptr); // the first piece is empty: the head is complete
 *     return rc == CHM_PENDING ? chm_http1_closed(&response) : rc; // CHM_END, or an error
 * }
 * @endcode */
#ifndef CHIMERA_SDK_HTTP1_H
#define CHIMERA_SDK_HTTP1_H

#include "../abi/base.h"

#include <string.h>
#include <strings.h>

/* Casts in the style of C must not warn in C++. */
#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#endif

enum { CHM_HTTP1_HEAD_BYTES = 16384, CHM_HTTP1_HEADERS = 64 };

/** The part of a response that the next byte belongs to. */
typedef enum chm_http1_state {
    CHM_HTTP1_IN_HEAD,
    CHM_HTTP1_IN_SIZE,  /* the digits of a chunk's size */
    CHM_HTTP1_IN_LINE,  /* the rest of that line: extensions */
    CHM_HTTP1_IN_DATA,  /* `left` bytes of a chunk or of a body of known length */
    CHM_HTTP1_IN_BREAK, /* the line break behind a chunk */
    CHM_HTTP1_IN_TRAILERS,
    CHM_HTTP1_IN_REST, /* a body that ends with the connection */
    CHM_HTTP1_DONE
} chm_http1_state;

/** One response. OWNERSHIP: the caller's. It reads members up to headers, and writes none. */
typedef struct chm_http1 {
    int status;                        /**< valid after the head is complete */
    int keep_alive;                    /**< the connection may be used again after this response */
    chm_http1_state state;             /**< CHM_HTTP1_DONE: the response is complete */
    size_t n_headers;                  /**< number of headers; valid after the head is complete */
    chm_kv headers[CHM_HTTP1_HEADERS]; /**< views of text */
    int no_body;                       /**< the request was HEAD */
    int chunked;                       /**< the body comes in chunks */
    size_t length;                     /**< bytes of head, line or digits seen so far */
    uint64_t left;                     /**< bytes of the body, or of this chunk, that are missing */
    char text[CHM_HTTP1_HEAD_BYTES];   /**< the head as it was sent */
} chm_http1;

/** Begins a response. no_body: the request was HEAD. */
static inline void chm_http1_begin(chm_http1* p, int no_body) {
    p->state = CHM_HTTP1_IN_HEAD;
    p->no_body = no_body;
    p->length = 0;
}

/** The bytes without white space around them. Internal. */
static inline chm_str chm_http1_trimmed(const char* begin, const char* end) {
    chm_str s;
    while (begin < end && (*begin == ' ' || *begin == '\t')) ++begin;
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) --end;
    s.ptr = begin;
    s.len = (size_t)(end - begin);
    return s;
}

/** Takes the first element from a list such as "Keep-Alive, Upgrade"; "" if it is empty. Internal. */
static inline chm_str chm_http1_element(chm_str* list) {
    const char *const end = list->ptr + list->len, *comma = list->ptr;
    const chm_str whole = *list;
    while (comma < end && *comma != ',') ++comma;
    list->ptr = comma < end ? comma + 1 : end;
    list->len = (size_t)(end - list->ptr);
    return chm_http1_trimmed(whole.ptr, comma);
}

/** True if they are equal when the case of letters is ignored. Internal. */
static inline int chm_http1_same(chm_str a, const char* word) {
    return a.len == strlen(word) && strncasecmp(a.ptr, word, a.len) == 0;
}

/** True if the word is an element of the list. Internal. */
static inline int chm_http1_lists(chm_str list, const char* word) {
    while (list.len > 0)
        if (chm_http1_same(chm_http1_element(&list), word)) return 1;
    return 0;
}

/** True if the last coding in the list is "chunked": the body ends with its last chunk. Internal. */
static inline int chm_http1_ends_chunked(chm_str list) {
    chm_str last = {"", 0};
    while (list.len > 0) {
        const chm_str element = chm_http1_element(&list);
        if (element.len > 0) last = element;
    }
    return chm_http1_same(last, "chunked");
}

/** Parses the head, which is complete in text. Internal. */
static inline chm_rc chm_http1_parse_head(chm_http1* p) {
    const char *const end = p->text + p->length, *line = p->text, *next;
    int has_length = 0, coded = 0, closes = 0;
    size_t i;
    if (p->length < 13) return CHM_E_PROTO;
    p->keep_alive = p->text[7] == '1';
    p->status = 0;
    for (i = 9; i < 12; ++i) {
        if (p->text[i] < '0' || p->text[i] > '9') return CHM_E_PROTO;
        p->status = p->status * 10 + (p->text[i] - '0');
    }
    p->n_headers = 0;
    p->chunked = 0;
    p->left = 0;
    while ((next = (const char*)memchr(line, '\n', (size_t)(end - line))) != NULL && next + 1 < end) {
        const char* colon;
        chm_kv kv;
        line = next + 1;
        next = (const char*)memchr(line, '\n', (size_t)(end - line));
        if (chm_http1_trimmed(line, next).len == 0) break;
        colon = (const char*)memchr(line, ':', (size_t)(next - line));
        if (colon == NULL || colon == line) return CHM_E_PROTO;
        if (p->n_headers == CHM_HTTP1_HEADERS) return CHM_E_LIMIT;
        kv.key.ptr = line;
        kv.key.len = (size_t)(colon - line);
        kv.value = chm_http1_trimmed(colon + 1, next);
        p->headers[p->n_headers++] = kv;
        if (kv.key.len == 14 && strncasecmp(line, "Content-Length", 14) == 0) {
            uint64_t length = 0;
            if (kv.value.len == 0 || kv.value.len > 18) return CHM_E_PROTO;
            for (i = 0; i < kv.value.len; ++i) {
                if (kv.value.ptr[i] < '0' || kv.value.ptr[i] > '9') return CHM_E_PROTO;
                length = length * 10 + (uint64_t)(kv.value.ptr[i] - '0');
            }
            if (has_length && length != p->left) return CHM_E_PROTO;
            p->left = length;
            has_length = 1;
        } else if (kv.key.len == 17 && strncasecmp(line, "Transfer-Encoding", 17) == 0) {
            p->chunked = chm_http1_ends_chunked(kv.value);
            coded |= !chm_http1_same(kv.value, "identity"); /* which says nothing */
        } else if (kv.key.len == 10 && strncasecmp(line, "Connection", 10) == 0) {
            if (chm_http1_lists(kv.value, "keep-alive")) p->keep_alive = 1;
            if (chm_http1_lists(kv.value, "close")) closes = 1;
        }
    }
    if (closes) p->keep_alive = 0;
    p->length = 0;
    if (p->status / 100 == 1 && p->status != 101)
        p->state = CHM_HTTP1_IN_HEAD; /* the final one is still to come */
    else if (p->no_body || p->status == 204 || p->status == 304)
        p->state = CHM_HTTP1_DONE;
    else if (p->chunked) {
        p->left = 0;
        p->state = CHM_HTTP1_IN_SIZE;
    } else if (has_length && !coded)
        p->state = p->left > 0 ? CHM_HTTP1_IN_DATA : CHM_HTTP1_DONE;
    else {
        p->state = CHM_HTTP1_IN_REST;
        p->keep_alive = 0;
    }
    return p->state == CHM_HTTP1_IN_HEAD ? CHM_PENDING : CHM_READY;
}

/** Takes one byte that is not a body's. CHM_READY: the head is complete. Internal. */
static inline chm_rc chm_http1_byte(chm_http1* p, char c) {
    static const char begin[] = "HTTP/1.";
    switch (p->state) {
    case CHM_HTTP1_IN_HEAD:
        if (p->length < 7 && c != begin[p->length]) return CHM_E_PROTO;
        if (p->length == sizeof p->text) return CHM_E_LIMIT;
        p->text[p->length++] = c;
        if (c == '\n' && p->length > 3 &&
            (p->text[p->length - 2] == '\n' || memcmp(p->text + p->length - 3, "\n\r\n", 3) == 0))
            return chm_http1_parse_head(p);
        return CHM_PENDING;
    case CHM_HTTP1_IN_SIZE: {
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit >= 0) {
            if (p->length++ == 15) return CHM_E_LIMIT;
            p->left = p->left * 16 + (uint64_t)digit;
            return CHM_PENDING;
        }
        if (p->length == 0 || (c != ';' && c != ' ' && c != '\t' && c != '\r' && c != '\n')) return CHM_E_PROTO;
        p->state = CHM_HTTP1_IN_LINE;
    } /* fall through */
    case CHM_HTTP1_IN_LINE:
        if (++p->length > CHM_HTTP1_HEAD_BYTES) return CHM_E_LIMIT;
        if (c != '\n') return CHM_PENDING;
        p->length = 0;
        p->state = p->left > 0 ? CHM_HTTP1_IN_DATA : CHM_HTTP1_IN_TRAILERS;
        return CHM_PENDING;
    case CHM_HTTP1_IN_BREAK:
        if (c == '\n') p->state = CHM_HTTP1_IN_SIZE;
        return c == '\n' || c == '\r' ? CHM_PENDING : CHM_E_PROTO;
    case CHM_HTTP1_IN_TRAILERS: /* nobody asks for them; length: of the line */
        if (c == '\n' && p->length == 0) p->state = CHM_HTTP1_DONE;
        if (c == '\n')
            p->length = 0;
        else if (c != '\r' && ++p->length > CHM_HTTP1_HEAD_BYTES)
            return CHM_E_LIMIT;
        return CHM_PENDING;
    default:
        return CHM_E_STATE;
    }
}

/** Takes bytes from the front of *in.
 * CHM_READY with an empty *piece: the final head is complete. CHM_READY: *piece is a part of the body, a view of the
 * bytes of *in. CHM_END: the response is complete; bytes that are left in *in do not belong to it. CHM_PENDING: *in is
 * empty, and more bytes are needed. CHM_E_PROTO: not an HTTP/1.1 response. CHM_E_LIMIT: the head or a line is too long.
 */
static inline chm_rc chm_http1_next(chm_http1* p, chm_str* in, chm_str* piece) {
    piece->ptr = in->ptr;
    piece->len = 0;
    while (p->state != CHM_HTTP1_DONE && in->len > 0) {
        if (p->state == CHM_HTTP1_IN_DATA || p->state == CHM_HTTP1_IN_REST) {
            const int rest = p->state == CHM_HTTP1_IN_REST;
            piece->ptr = in->ptr;
            piece->len = rest || p->left >= in->len ? in->len : (size_t)p->left;
            in->ptr += piece->len;
            in->len -= piece->len;
            if (!rest && (p->left -= piece->len) == 0) p->state = p->chunked ? CHM_HTTP1_IN_BREAK : CHM_HTTP1_DONE;
            return CHM_READY;
        } else {
            const chm_rc rc = chm_http1_byte(p, *in->ptr);
            if (rc < 0) return rc;
            ++in->ptr;
            --in->len;
            if (rc == CHM_READY) return rc;
        }
    }
    return p->state == CHM_HTTP1_DONE ? CHM_END : CHM_PENDING;
}

/** Tells the parser that the connection has ended. CHM_END: this completes the response. Otherwise CHM_E_CLOSED. */
static inline chm_rc chm_http1_closed(chm_http1* p) {
    if (p->state == CHM_HTTP1_IN_REST) p->state = CHM_HTTP1_DONE;
    return p->state == CHM_HTTP1_DONE ? CHM_END : CHM_E_CLOSED;
}

/** The parts of a base URL. OWNERSHIP: views of the URL. */
typedef struct chm_http1_url {
    chm_str host;      /**< without the brackets of an IPv6 address */
    chm_str port;      /**< digits; "80" if the URL has no port */
    chm_str authority; /**< host and port as in the URL, for the Host header */
    chm_str prefix;    /**< beginning of every request's path: "", or "/..." without a slash at its end */
} chm_http1_url;

/** Splits a base URL. CHM_E_INVAL: not a URL. CHM_E_NOSYS: the scheme is not http. */
static inline chm_rc chm_http1_split_url(chm_str url, chm_http1_url* out) {
    const char *const end = url.ptr + url.len, *at, *colon = NULL;
    size_t i, scheme = 0;
    unsigned port = 0;
    while (scheme + 3 <= url.len && memcmp(url.ptr + scheme, "://", 3) != 0) ++scheme;
    if (scheme == 0 || scheme + 3 > url.len) return CHM_E_INVAL;
    if (scheme != 4 || strncasecmp(url.ptr, "http", 4) != 0) return CHM_E_NOSYS;
    for (i = scheme; i < url.len; ++i)
        if (url.ptr[i] <= ' ' || strchr("?#@", url.ptr[i]) != NULL) return CHM_E_INVAL;
    out->authority.ptr = url.ptr + scheme + 3;
    for (at = out->authority.ptr; at < end && *at != '/'; ++at)
        if (*at == ':') colon = at;
    out->authority.len = (size_t)(at - out->authority.ptr);
    out->prefix.ptr = at;
    out->prefix.len = (size_t)(end - at);
    if (out->prefix.len > 0 && end[-1] == '/') --out->prefix.len;
    if (colon != NULL && memchr(colon, ']', (size_t)(at - colon)) != NULL) colon = NULL; /* inside of an address */
    out->host.ptr = out->authority.ptr;
    out->host.len = (size_t)((colon != NULL ? colon : at) - out->host.ptr);
    if (out->host.len > 1 && *out->host.ptr == '[' && out->host.ptr[out->host.len - 1] == ']') {
        ++out->host.ptr;
        out->host.len -= 2;
    }
    out->port.ptr = colon != NULL ? colon + 1 : "80";
    out->port.len = colon != NULL ? (size_t)(at - colon - 1) : 2;
    for (i = 0; i < out->port.len && port <= 65535; ++i) {
        if (out->port.ptr[i] < '0' || out->port.ptr[i] > '9') return CHM_E_INVAL;
        port = port * 10 + (unsigned)(out->port.ptr[i] - '0');
    }
    return out->host.len > 0 && out->port.len > 0 && port > 0 && port <= 65535 ? CHM_OK : CHM_E_INVAL;
}

#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

#endif
