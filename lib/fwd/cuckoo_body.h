/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loops of a lookup, which are made for a kind of processor each and come to the same.
 *
 * Any thread.
 */
#ifndef FWD_CUCKOO_BODY_H
#define FWD_CUCKOO_BODY_H

#include "cuckoo.h"

struct cuckoo_body_functions {
    cuckoo_locate_burst *locate;
    cuckoo_search_burst *search;
};

/* NULL: this processor has it not. */
const struct cuckoo_body_functions *cuckoo_body_functions(enum cuckoo_body body);

#endif
