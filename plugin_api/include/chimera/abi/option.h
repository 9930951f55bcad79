/** @file
 * chimera/abi/option.h: how a factory describes the options of its instances. C99.
 *
 * Example: two options. In a profile: `options = { workers = 4, order = "lifo" }`.
 * @code{.c}
 * static const chm_option options[] = {
 *     {sizeof(chm_option), CHM_OPT_INT, "workers", "number of threads", "2", NULL, 1, 64},
 *     {sizeof(chm_option), CHM_OPT_ENUM, "order", "which task is polled next", "fifo", "fifo|lifo", 0, 0},
 * };
 * @endcode */
#ifndef CHIMERA_ABI_OPTION_H
#define CHIMERA_ABI_OPTION_H

#include "base.h"

CHM_BEGIN

/** Types of options, and their values as text. */
enum {
    CHM_OPT_BOOL = 1,   /**< "true" or "false" */
    CHM_OPT_INT = 2,    /**< decimal, in [min, max] */
    CHM_OPT_FLOAT = 3,  /**< decimal, in [min, max] */
    CHM_OPT_STRING = 4, /**< any text */
    CHM_OPT_ENUM = 5    /**< one of `choices` */
};

/** One option. The host checks the profile against it: key, type and range. For an unknown key it suggests the nearest one.
 * It prints the option in listings, and passes the plugin a value for every key.
 * OWNERSHIP: static storage of the plugin. All strings are NUL-terminated and live until the process ends. */
typedef struct chm_option {
    uint32_t size;             /**< sizeof(chm_option) when the plugin was compiled. It is the same in all elements of an
                                  array, and is the distance between them */
    uint32_t type;             /**< CHM_OPT_* */
    const char *name;          /**< snake_case; a dot makes a nested table */
    const char *help;          /**< one line, without a full stop */
    const char *default_value; /**< as text, and valid for the type; never NULL */
    const char *choices;       /**< CHM_OPT_ENUM: words separated by '|', as "a|b|c". Otherwise NULL */
    double min;                /**< CHM_OPT_INT and CHM_OPT_FLOAT: the least value */
    double max;                /**< CHM_OPT_INT and CHM_OPT_FLOAT: the greatest value. max < min: any value */
} chm_option;

CHM_END_DECLS
#endif
