/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The list of mobile nodes to simulate: ranges of home addresses, or rows of the file that the appliance
 * reads in bulk. It owns the names in its rows. One thread, at start.
 */
#ifndef MN_ROSTER_H
#define MN_ROSTER_H

#include "mobile.h"

enum { ROSTER_ERROR_MAX = 256 };

/* Zero-initialised: empty. */
struct roster {
    struct mobile_identity *rows;
    size_t count;
    size_t room;
};

void roster_clear(struct roster *roster);

/* The algorithm of one that was not told of any: its family's own, RFC 5944 section 5.1's default or the only
 * one of RFC 4285 section 5.1. */
enum { ROSTER_ALGORITHM_OF_FAMILY = AUTH_ALGORITHMS };

/* `count` nodes with successive home addresses from like->home on, in all else like it. False: the addresses
 * run out, or memory does, or the family does not know what it asks for; error says. */
bool roster_add_range(struct roster *roster, const struct mobile_identity *like, uint32_t count,
                      char error[static ROSTER_ERROR_MAX]);

/* Rows address,spi,key[,algorithm[,replay[,nai]]]; empty lines and lines that begin with # are skipped.
 * False: error says "FILE:LINE: what". */
bool roster_add_file(struct roster *roster, const char *path, char error[static ROSTER_ERROR_MAX]);

/* "hex:..." or "file:PATH", whose first line is such digits, with or without "hex:", and which nobody but its
 * owner may read. False: error says what is wrong; *key untouched. */
bool roster_key(const char *text, struct auth_key *key, char error[static ROSTER_ERROR_MAX]);
/* A decimal SPI that is not reserved. */
bool roster_spi(const char *text, uint32_t *spi);
/* "timestamp", "nonce" or "sequence". */
bool roster_replay(const char *text, uint8_t *replay);

#endif
