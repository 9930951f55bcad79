/* The contract is laid out as it is listed: what a compiled plugin relies on. C and C++. */
#include "chimera/abi.h"

#ifdef __cplusplus
#define ASSERT(condition) static_assert(condition, #condition);
#define IDENTIFIER(name, text) ASSERT(__builtin_strcmp(name, text) == 0)
#else
/* A negative array size is C99's static assertion. */
#define ASSERT_NAME2(line) assertion_of_line_##line
#define ASSERT_NAME(line) ASSERT_NAME2(line)
#define ASSERT(condition) extern int ASSERT_NAME(__LINE__)[(condition) ? 1 : -1];
#define IDENTIFIER(name, text) ASSERT(sizeof(name) == sizeof(text))
#endif
#define STRUCT(type, size) ASSERT(sizeof(type) == (size))
#define MEMBER(type, member, offset) ASSERT(offsetof(type, member) == (offset))
#define CONSTANT(name, value) ASSERT((name) == (value))

ASSERT(sizeof(void*) == 8)
#include "../../abi/contract.def"
