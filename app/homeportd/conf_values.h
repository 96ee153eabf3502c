/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a word may be. Each function understands one kind of value; where it cannot, it records why at the
 * word's file and line, leaves *out as it was, and returns false. w NULL: the key is absent, *out keeps its
 * default, and that is true.
 */
#ifndef HOMEPORTD_CONF_VALUES_H
#define HOMEPORTD_CONF_VALUES_H

#include "conf_reading.h"

enum { SPI_MIN = 256 }; /* RFC 5944 section 1.6: 0 to 255 are reserved */

bool value_number(const struct word *w, uint32_t min, uint32_t max, uint32_t *out);
bool value_bool(const struct word *w, bool *out);
/* choices: texts, NULL at the end; *out is an index. */
bool value_choice(const struct word *w, const char *const choices[], unsigned *out);
/* Of an appliance, port, secondary: letters, digits, '.', '_' and '-'. */
bool value_name(const struct word *w, char out[static CONF_NAME_MAX]);
bool value_lcores(const struct word *w, char out[static CONF_NAME_MAX]);
bool value_device(const struct word *w, char out[static CONF_DEVICE_MAX]);
/* An absolute path that fits a Unix socket's address. */
bool value_socket(const struct word *w, char out[static CONF_DEVICE_MAX]);
/* An address that one host can have: no multicast, broadcast, loopback or unspecified one. */
bool value_host(const struct word *w, struct addr *out);
/* A host's address with the length of its network's prefix. */
bool value_interface(const struct word *w, struct prefix *out);
/* A prefix without a host part. */
bool value_network(const struct word *w, struct prefix *out);
/* "ADDRESS:PORT" or "[ADDRESS]:PORT" on loopback. */
bool value_loopback(const struct word *w, struct addr *address, uint16_t *port);
/* "hex:DIGITS" or "file:PATH" of min to max bytes; leaves out->algorithm alone. */
bool value_key(const struct word *w, size_t min, size_t max, struct auth_key *out);
bool value_algorithm(const struct word *w, uint8_t *out);
/* A network access identifier that can be sent (RFC 2794). */
bool value_nai(const struct word *w);

/* True for an address whose host part is all zeros, where that is no host's (RFC 3021). */
bool prefix_is_network_address(const struct prefix *p, const struct addr *a);
/* Opens a file that may hold secrets. NULL: it cannot be, or is no regular file; recorded at w. */
FILE *value_open(const struct word *w, const char *path, mode_t *mode);

#endif
