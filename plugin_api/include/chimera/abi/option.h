/** @file
 * chimera/abi/option.h: how a factory describes the options that its instances understand. C99. */
#ifndef CHIMERA_ABI_OPTION_H
#define CHIMERA_ABI_OPTION_H

#include "base.h"

CHM_BEGIN

/** Types of options, and what their values look like as text. */
enum {
    CHM_OPT_BOOL = 1,   /**< "true" or "false" */
    CHM_OPT_INT = 2,    /**< decimal, within [min, max] */
    CHM_OPT_FLOAT = 3,  /**< decimal, within [min, max] */
    CHM_OPT_STRING = 4, /**< any text */
    CHM_OPT_ENUM = 5    /**< one of `choices`, words separated by '|' */
};

/** One option. The host checks the profile against it (unknown key, type, range), names the nearest key where one is
 * unknown, prints it in listings, and hands the plugin a value for every key.
 * Ownership: static storage of the plugin, all strings NUL-terminated and alive until the process ends. */
typedef struct chm_option {
    uint32_t size;             /**< sizeof(chm_option) as the plugin was compiled: the same in all elements of an array, and
                                  the distance between them */
    uint32_t type;             /**< CHM_OPT_* */
    const char *name;          /**< snake_case; dots make a nested table */
    const char *help;          /**< one line, without a full stop */
    const char *default_value; /**< as text, valid by the rules above; never NULL */
    const char *choices;       /**< CHM_OPT_ENUM: "a|b|c"; otherwise NULL */
    double min;                /**< CHM_OPT_INT and CHM_OPT_FLOAT: the least value */
    double max;                /**< the greatest; less than min: there is no range */
} chm_option;

CHM_END_DECLS
#endif
