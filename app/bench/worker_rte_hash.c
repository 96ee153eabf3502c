/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker_rte_hash.h"

#include "peer.h"

#define cuckoo_locate  peer_locate
#define cuckoo_fetch   peer_fetch
#define cuckoo_search  peer_search
#define cuckoo_prove   peer_prove
#define cuckoo_is_miss peer_is_miss
#define worker_start   peer_worker_start
#define worker_turn    peer_worker_turn
#define worker_burst   peer_worker_burst
#define worker_offline peer_worker_offline
#define worker_online  peer_worker_online

#include "../../lib/fwd/worker.c"
