/** @file
 * chimera/abi/base.h: result codes, strings, configuration and error messages. C99.
 * chimera/abi.h explains the tags in brackets, such as [any-thread].
 *
 * Example: a function that fails returns a negative code, and writes the reason into the caller's buffer.
 * @code{.c}
 * #include <errno.h>
 * #include <stdio.h>
 * #include <string.h>
 *
 * static chm_rc open_log(const char *path, FILE **out, chm_error *error) {
 *     FILE *file = fopen(path, "a");
 *     if (file != NULL) return *out = file, CHM_OK;
 *     if (error && error->text) snprintf(error->text, error->cap, "%s: %s", path, strerror(errno));
 *     return CHM_E_IO;
 * }
 * @endcode */
#ifndef CHIMERA_ABI_BASE_H
#define CHIMERA_ABI_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
/** Makes "never throws" part of a function pointer's type in C++: a function that may throw does not convert to it. */
#define CHM_NX noexcept
/** Begins the declarations of a header. */
#define CHM_BEGIN extern "C" {
/** Ends the declarations of a header. */
#define CHM_END_DECLS }
#else
#define CHM_NX
#define CHM_BEGIN
#define CHM_END_DECLS
#endif

/** Marks the one symbol that a plugin exports. */
#define CHM_EXPORT __attribute__((visibility("default")))

/** Version of the contract. A plugin loads if its major equals the host's. The minors may differ either way. */
#define CHM_ABI_MAJOR 1u
/** A new minor adds only optional parts: extensions, constants, and members at the tail of structs that have a size. */
#define CHM_ABI_MINOR 2u

/** True if the struct behind p is large enough to hold member m. The struct's first member is `uint32_t size`.
 * Such structs grow only at the tail. Code that reads or fills a struct of the other side asks CHM_HAS before it touches
 * a member that is newer than 1.0. A missing member counts as zero. */
#define CHM_HAS(p, m) ((p)->size >= offsetof(__typeof__(*(p)), m) + sizeof((p)->m))

CHM_BEGIN

/** Result of a call. Negative: an error. Zero: success, or "not ready" from a poll. Positive: progress. */
typedef int32_t chm_rc;

/** The values of a chm_rc. A later minor may add codes. Treat an unknown negative code as CHM_E_FAIL.
 *
 * ZERO TRAP: CHM_OK and CHM_PENDING are both 0. A poll that returns CHM_OK to say "done" has said "pending". Its task then
 * waits for a wake that never comes, and the run hangs. A poll says "done" with CHM_READY or CHM_END, never with CHM_OK.
 * The validator reports such a poll by name. A class on the C++ SDK that makes this mistake does not compile. */
enum {
    CHM_OK = 0,      /**< success of a call that is not a poll. Never returned by a poll: see ZERO TRAP */
    CHM_PENDING = 0, /**< from a poll: not ready. The waker given to this poll will be woken */
    CHM_READY = 1,   /**< from a poll: the value is there, or the task is done */
    CHM_END = 2,     /**< from a poll: the stream is complete */

    CHM_E_FAIL = -1,     /**< failed; the message says why */
    CHM_E_NOMEM = -2,    /**< out of memory */
    CHM_E_INVAL = -3,    /**< an argument or an option's value is not valid */
    CHM_E_NOSYS = -4,    /**< this plugin or this system does not offer it */
    CHM_E_CANCELED = -5, /**< ended by stop or close */
    CHM_E_IO = -6,       /**< a system call failed, or the connection was reset */
    CHM_E_PROTO = -7,    /**< the peer broke the protocol */
    CHM_E_CLOSED = -8,   /**< the peer closed before the message was complete */
    CHM_E_AFFINITY = -9, /**< called on a thread where this object may not be used */
    CHM_E_TIMEOUT = -10, /**< a time limit passed */
    CHM_E_RESOLVE = -11, /**< the host name has no address */
    CHM_E_CONNECT = -12, /**< no connection could be made */
    CHM_E_LIMIT = -13,   /**< a size limit was passed */
    CHM_E_TLS = -14,     /**< the TLS handshake or a certificate failed */
    CHM_E_STATE = -15    /**< called in the wrong state. Example: start while another exchange is open */
};

/** UTF-8 text or bytes, not NUL-terminated. OWNERSHIP: borrowed for the call, unless a comment says otherwise. */
typedef struct chm_str {
    const char *ptr; /**< may be NULL if len is 0 */
    size_t len;      /**< in bytes */
} chm_str;

/** A key and a value: an option, or a header. OWNERSHIP: the array's that holds it. */
typedef struct chm_kv {
    chm_str key;   /**< an option's dotted name, or a header's name */
    chm_str value; /**< as text */
} chm_kv;

/** The options of an instance: keys from the factory's schema, values as text. The host has checked them against the
 * schema, and passes every key: one that the profile leaves out has its default. OWNERSHIP: borrowed for the call. */
typedef struct chm_config {
    const chm_kv *kv; /**< may be NULL if n is 0 */
    size_t n;         /**< number of options */
} chm_config;

/** Buffer for the message of a failing call. The callee writes NUL-terminated UTF-8, cut to cap. If the chm_error * or its
 * text is NULL, the caller wants no message. OWNERSHIP: the caller's. Nothing is freed. */
typedef struct chm_error {
    char *text; /**< where the message goes, or NULL */
    size_t cap; /**< size of the buffer in bytes, with the final NUL. 0: the caller wants no message */
} chm_error;

CHM_END_DECLS
#endif
