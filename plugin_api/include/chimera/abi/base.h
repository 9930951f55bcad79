/** @file
 * chimera/abi/base.h: vocabulary of the contract: result codes, strings, configuration, error messages. C99. */
#ifndef CHIMERA_ABI_BASE_H
#define CHIMERA_ABI_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
/** Makes "never throws" part of a callback's type in C++: a function that may throw does not convert to it. */
#define CHM_NX noexcept
/** Begins the declarations of a header. */
#define CHM_BEGIN extern "C" {
/** Ends them. */
#define CHM_END_DECLS }
#else
#define CHM_NX
#define CHM_BEGIN
#define CHM_END_DECLS
#endif

/** For the one symbol that a plugin exports. */
#define CHM_EXPORT __attribute__((visibility("default")))

/** The contract's version. A plugin loads when its major equals the host's, whichever of the two has the later minor. */
#define CHM_ABI_MAJOR 1u
/** A minor only adds what is optional: extensions, constants, members at the tail of structs that begin with their size. */
#define CHM_ABI_MINOR 1u

/** True when the struct behind p, whose first member is `uint32_t size`, is large enough to hold member m.
 * Such structs grow only at the tail; who reads or fills one for the other side asks before it touches a member of a later
 * minor than 1.0. A member that is not there counts as zero. */
#define CHM_HAS(p, m) ((p)->size >= offsetof(__typeof__(*(p)), m) + sizeof((p)->m))

CHM_BEGIN

/** Result of a call: negative is an error, 0 is success or "pending", positive is progress. */
typedef int32_t chm_rc;

/** What a chm_rc may be. A later minor may add codes: take an unknown negative one as CHM_E_FAIL. */
enum {
    CHM_OK = 0,      /**< done, for calls that are no polls: a poll that answers it has said CHM_PENDING */
    CHM_PENDING = 0, /**< not ready; the waker given to this call will be woken */
    CHM_READY = 1,   /**< the value is there */
    CHM_END = 2,     /**< a stream is complete */

    CHM_E_FAIL = -1,     /**< failed; the message says why */
    CHM_E_NOMEM = -2,    /**< out of memory */
    CHM_E_INVAL = -3,    /**< an argument or an option's value is not acceptable */
    CHM_E_NOSYS = -4,    /**< not offered by this plugin, or by this system */
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
    CHM_E_STATE = -15    /**< called in the wrong state, such as a second exchange beside an unfinished one */
};

/** UTF-8 text or bytes, not NUL-terminated. Ownership: borrowed for the call unless a function says otherwise. */
typedef struct chm_str {
    const char *ptr; /**< may be NULL where len is 0 */
    size_t len;      /**< in bytes */
} chm_str;

/** A pair of texts: an option, or a header. Ownership: as the array that holds it. */
typedef struct chm_kv {
    chm_str key;   /**< an option's dotted name, or a header's name */
    chm_str value; /**< as text */
} chm_kv;

/** An instance's options: flat keys as in the factory's schema, values as text, already checked by the host against that
 * schema (the value of every key that the profile leaves out is its default). Ownership: borrowed for the call. */
typedef struct chm_config {
    const chm_kv *kv; /**< may be NULL where n is 0 */
    size_t n;         /**< how many */
} chm_config;

/** Where a failing call may explain itself. The caller owns the buffer; the callee writes NUL-terminated UTF-8, cut to
 * cap. Either the chm_error or its text may be NULL: then nobody listens. Nothing is ever freed. */
typedef struct chm_error {
    char *text; /**< where the message goes */
    size_t cap; /**< how many bytes there are, the final NUL included; 0: nobody listens */
} chm_error;

CHM_END_DECLS
#endif
