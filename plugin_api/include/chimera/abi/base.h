/* chimera/abi/base.h -- vocabulary of the contract: result codes, strings, configuration, error messages. C99. */
#ifndef CHIMERA_ABI_BASE_H
#define CHIMERA_ABI_BASE_H

#include <stddef.h>
#include <stdint.h>

/* CHM_NX makes "never throws" part of a callback's type in C++: a function that may throw does not convert to it. */
#ifdef __cplusplus
#define CHM_NX noexcept
#define CHM_BEGIN extern "C" {
#define CHM_END_DECLS }
#else
#define CHM_NX
#define CHM_BEGIN
#define CHM_END_DECLS
#endif

#define CHM_EXPORT __attribute__((visibility("default")))

/* The contract's version. A plugin loads when its major equals the host's; minors only add what is optional. */
#define CHM_ABI_MAJOR 1u
#define CHM_ABI_MINOR 0u

/* True when the struct behind p, whose first member is `uint32_t size`, is large enough to hold member m.
 * Structs that a caller fills grow only at the tail; the reader asks before it reads a member of a later minor. */
#define CHM_HAS(p, m) ((p)->size >= offsetof(__typeof__(*(p)), m) + sizeof((p)->m))

CHM_BEGIN

/* Result of a call: negative is an error, 0 is success or "pending", positive is progress. */
typedef int32_t chm_rc;

enum {
    CHM_OK = 0,
    CHM_PENDING = 0, /* not ready; the waker given to this call will be woken */
    CHM_READY = 1,   /* the value is there */
    CHM_END = 2,     /* a stream is complete */

    CHM_E_FAIL = -1,     /* failed; the message says why */
    CHM_E_NOMEM = -2,    /* out of memory */
    CHM_E_INVAL = -3,    /* an argument or an option's value is not acceptable */
    CHM_E_NOSYS = -4,    /* not offered by this plugin, or by this system */
    CHM_E_CANCELED = -5, /* ended by stop or close */
    CHM_E_IO = -6,       /* a system call failed, or the connection was reset */
    CHM_E_PROTO = -7,    /* the peer broke the protocol */
    CHM_E_CLOSED = -8,   /* the peer closed before the message was complete */
    CHM_E_AFFINITY = -9, /* called on a thread where this object may not be used */
    CHM_E_TIMEOUT = -10, /* a time limit passed */
    CHM_E_RESOLVE = -11, /* the host name has no address */
    CHM_E_CONNECT = -12, /* no connection could be made */
    CHM_E_LIMIT = -13,   /* a size limit was passed */
    CHM_E_TLS = -14,     /* the TLS handshake or a certificate failed */
    CHM_E_STATE = -15    /* called in the wrong state, such as a second exchange beside an unfinished one */
};

/* UTF-8 text or bytes, not NUL-terminated. Ownership: borrowed for the call unless a function says otherwise. */
typedef struct chm_str {
    const char *ptr;
    size_t len;
} chm_str;

typedef struct chm_kv {
    chm_str key, value;
} chm_kv;

/* An instance's options: flat keys as in the factory's schema, values as text, already checked by the host against that
 * schema (the value of every key that the profile leaves out is its default). Ownership: borrowed for the call. */
typedef struct chm_config {
    const chm_kv *kv;
    size_t n;
} chm_config;

/* Where a failing call may explain itself. The caller owns the buffer; the callee writes NUL-terminated UTF-8, cut to
 * cap. Either the chm_error or its text may be NULL: then nobody listens. Nothing is ever freed. */
typedef struct chm_error {
    char *text;
    size_t cap;
} chm_error;

CHM_END_DECLS
#endif
