/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 addresses that are of no network, for the tests' frames. */
#ifndef TEST_FWD_ADDRESSES_H
#define TEST_FWD_ADDRESSES_H

#include "addr.h"

static const struct addr six_none = {{0}}, six_loopback = {{[15] = 1}},
                         six_mapped = {{[10] = 0xff, [11] = 0xff, 10, 1, 0, 50}}, /* frame.h's AWAY */
    six_link_local = {{0xfe, 0x80, [15] = 9}}, six_edge_of_link_local = {{0xfe, 0xbf, [15] = 9}},
                         six_site_local = {{0xfe, 0xc0, [15] = 9}}, six_private = {{0xfd, 1, [15] = 9}},
                         six_nat64 = {{0, 0x64, 0xff, 0x9b, [12] = 192, 0, 2, 9}},
                         six_all_nodes = {{0xff, 2, [15] = 1}}, six_all_routers = {{0xff, 2, [15] = 2}},
                         six_solicited = {{0xff, 2, [11] = 1, [12] = 0xff, 0, 0, 0x32}},
                         six_no_solicited = {{0xff, 2, [11] = 1, [12] = 0xfe, 0, 0, 0x32}},
                         six_global_group = {{0xff, 0x0e, [15] = 5}},
                         six_other_scope = {{0xff, 0x05, [15] = 1}};

#endif
