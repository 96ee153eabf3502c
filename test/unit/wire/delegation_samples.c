/* SPDX-License-Identifier: BSD-3-Clause */
#include "delegation_samples.h"

#include "../check_main.h"

/* 10.1.0.50, 10.2.0.77, 2001:db8::2 */
const struct addr home = {{[10] = 0xff, 0xff, 10, 1, 0, 50}};
const struct addr care_of = {{[10] = 0xff, 0xff, 10, 2, 0, 77}};
const struct addr v6 = {{0x20, 0x01, 0x0d, 0xb8, [15] = 2}};

static struct delegation_record start_sample(void)
{
    return (struct delegation_record){
        .type = DELEGATION_RECORD_START,
        .start = {.flags = START_ANNOUNCE | START_INTERCEPT | START_DECAPSULATE | START_CO_LOCATED,
                  .home_link = 0x01020304,
                  .home = home,
                  .care_of = care_of,
                  .source = v6,
                  .generation = GENERATION_7,
                  .duration_ms = 1800000,
                  .encapsulation = 1,
                  .index = 2,
                  .count = 3,
                  .nat_port = 434,
                  .tunnel_mtu = 1480,
                  .gre_key = 0xa1a2a3a4,
                  .cookie = UINT64_C(0xe8d5c3b2a1908070)}};
}

static struct delegation_record stop_sample(void)
{
    return (struct delegation_record){.type = DELEGATION_RECORD_STOP,
                                      .stop = {.home_link = 0x01020304,
                                               .home = home,
                                               .generation = GENERATION_7,
                                               .reason = STOP_MOVED,
                                               .mode = STOP_DELIVER,
                                               .linger_ds = 300,
                                               .mac = {{2, 0, 0x5e, 0x10, 0x20, 0x30}}}};
}

static struct delegation_record ack_sample(void)
{
    return (struct delegation_record){.type = DELEGATION_RECORD_ACK,
                                      .ack = {.home_link = 0x01020304,
                                              .home = home,
                                              .asked = GENERATION_7,
                                              .held = GENERATION_7 + 2,
                                              .remaining_ms = 1800000,
                                              .status = STATUS_FENCED,
                                              .state = HELD_FORWARD_ONLY,
                                              .index = 0x102}};
}

static struct delegation_record rate_sample(void)
{
    return (struct delegation_record){.type = DELEGATION_RECORD_RATE,
                                      .rate = {.home_link = 0x01020304,
                                               .home = home,
                                               .generation = GENERATION_7,
                                               .pps = 100000,
                                               .kbps = 1000000,
                                               .packets = UINT64_C(0x0011223344556677),
                                               .bytes = UINT64_C(0x1021324354657687)}};
}

static struct delegation_record load_sample(void)
{
    return (struct delegation_record){.type = DELEGATION_RECORD_LOAD,
                                      .load = {.state = LOAD_SYNCING,
                                               .busiest_permille = 900,
                                               .capacity_pps = 10000000,
                                               .rx_pps = 1,
                                               .tx_pps = 2,
                                               .drop_pps = 3,
                                               .tx_kbps = 4,
                                               .bindings = 5,
                                               .max_bindings = 6,
                                               .tombstones = 7,
                                               .unknown_pps = 8,
                                               .digest = UINT64_C(0xc1c2c3c4c5c6c7c8),
                                               .floor = GENERATION_7,
                                               .uptime_s = 86400,
                                               .heard = 0x102}};
}

static struct delegation_record lease_sample(void)
{
    return (struct delegation_record){.type = DELEGATION_RECORD_LEASE,
                                      .lease = {.lease_ms = 1500,
                                                .floor = GENERATION_7,
                                                .sequence = 0x102,
                                                .report_ms = 10000,
                                                .report_top = 100}};
}

static struct delegation_record hello_sample(void)
{
    struct delegation_record r = {.type = DELEGATION_RECORD_HELLO,
                                  .hello = {.role = HELLO_STANDBY,
                                            .lowest_version = 1,
                                            .highest_version = 2,
                                            .term = 0xabcdef,
                                            .capabilities = 0x11223344,
                                            .ip_id_slot = 63,
                                            .payload_max = 1400,
                                            .mac = {{2, 0, 0x5e, 0x10, 0x20, 0x30}}}};
    hex_bytes(NONCE, r.hello.nonce, DELEGATION_NONCE);
    hex_bytes(PEER_NONCE, r.hello.peer_nonce, DELEGATION_NONCE);
    return r;
}

static struct delegation_record digest_sample(void)
{
    return (struct delegation_record){.type = DELEGATION_RECORD_DIGEST,
                                      .digest = {.first = 1022, .count = 2}};
}

static struct delegation_record event_sample(void)
{
    struct delegation_record r = {
        .type = DELEGATION_RECORD_EVENT,
        .event = {.home_link = 0x01020304, .home = home, .generation = GENERATION_7, .code = EVENT_TOO_BIG}};
    hex_bytes("000005a0 aabbccddeeff001122334455", r.event.auxiliary, 16);
    return r;
}

static void start_write(struct writer *w, const struct delegation_record *r)
{
    delegation_start_encode(w, &r->start);
}

static void stop_write(struct writer *w, const struct delegation_record *r)
{
    delegation_stop_encode(w, &r->stop);
}

static void ack_write(struct writer *w, const struct delegation_record *r)
{
    delegation_ack_encode(w, &r->ack);
}

static void rate_write(struct writer *w, const struct delegation_record *r)
{
    delegation_rate_encode(w, &r->rate);
}

static void load_write(struct writer *w, const struct delegation_record *r)
{
    delegation_load_encode(w, &r->load);
}

static void lease_write(struct writer *w, const struct delegation_record *r)
{
    delegation_lease_encode(w, &r->lease);
}

static void hello_write(struct writer *w, const struct delegation_record *r)
{
    delegation_hello_encode(w, &r->hello);
}

static void digest_write(struct writer *w, const struct delegation_record *r)
{
    static const uint64_t values[] = {UINT64_C(0x0102030405060708), UINT64_C(0xf1f2f3f4f5f6f7f8)};
    delegation_digest_encode(w, r->digest.first, r->digest.count, values);
}

static void event_write(struct writer *w, const struct delegation_record *r)
{
    delegation_event_encode(w, &r->event);
}

const struct kind kinds[KINDS] = {
    {"START", START_HEX, start_sample, start_write}, {"STOP", STOP_HEX, stop_sample, stop_write},
    {"ACK", ACK_HEX, ack_sample, ack_write},         {"RATE", RATE_HEX, rate_sample, rate_write},
    {"LOAD", LOAD_HEX, load_sample, load_write},     {"LEASE", LEASE_HEX, lease_sample, lease_write},
    {"HELLO", HELLO_HEX, hello_sample, hello_write}, {"DIGEST", DIGEST_HEX, digest_sample, digest_write},
    {"EVENT", EVENT_HEX, event_sample, event_write},
};

struct delegation_record sample_of(uint8_t type)
{
    return kinds[type - 1].sample();
}

#define SAME_BYTES(field) ck_assert_mem_eq(&a->field, &b->field, sizeof(a->field))

static void start_same(const struct delegation_start *a, const struct delegation_start *b)
{
    SAME(flags);
    SAME(home_link);
    SAME_BYTES(home);
    SAME_BYTES(care_of);
    SAME_BYTES(source);
    SAME(generation);
    SAME(duration_ms);
    SAME(encapsulation);
    SAME(index);
    SAME(count);
    SAME(nat_port);
    SAME(tunnel_mtu);
    SAME(gre_key);
    SAME(cookie);
}

static void stop_same(const struct delegation_stop *a, const struct delegation_stop *b)
{
    SAME(home_link);
    SAME_BYTES(home);
    SAME(generation);
    SAME(reason);
    SAME(mode);
    SAME(linger_ds);
    SAME_BYTES(mac);
}

static void ack_same(const struct delegation_ack *a, const struct delegation_ack *b)
{
    SAME(home_link);
    SAME_BYTES(home);
    SAME(asked);
    SAME(held);
    SAME(remaining_ms);
    SAME(status);
    SAME(state);
    SAME(index);
}

static void rate_same(const struct delegation_rate *a, const struct delegation_rate *b)
{
    SAME(home_link);
    SAME_BYTES(home);
    SAME(generation);
    SAME(pps);
    SAME(kbps);
    SAME(packets);
    SAME(bytes);
}

static void load_same(const struct delegation_load *a, const struct delegation_load *b)
{
    SAME(state);
    SAME(busiest_permille);
    SAME(capacity_pps);
    SAME(rx_pps);
    SAME(tx_pps);
    SAME(drop_pps);
    SAME(tx_kbps);
    SAME(bindings);
    SAME(max_bindings);
    SAME(tombstones);
    SAME(unknown_pps);
    SAME(digest);
    SAME(floor);
    SAME(uptime_s);
    SAME(heard);
}

static void lease_same(const struct delegation_lease *a, const struct delegation_lease *b)
{
    SAME(lease_ms);
    SAME(floor);
    SAME(sequence);
    SAME(report_ms);
    SAME(report_top);
}

static void hello_same(const struct delegation_hello *a, const struct delegation_hello *b)
{
    SAME(role);
    SAME(lowest_version);
    SAME(highest_version);
    SAME(term);
    SAME(capabilities);
    SAME_BYTES(nonce);
    SAME_BYTES(peer_nonce);
    SAME(ip_id_slot);
    SAME(payload_max);
    SAME_BYTES(mac);
}

static void digest_same(const struct delegation_digest *a, const struct delegation_digest *b)
{
    SAME(first);
    SAME(count);
    ck_assert(delegation_digest_value(a, 0) == UINT64_C(0x0102030405060708));
    ck_assert(delegation_digest_value(a, 1) == UINT64_C(0xf1f2f3f4f5f6f7f8));
}

static void event_same(const struct delegation_event *a, const struct delegation_event *b)
{
    SAME(home_link);
    SAME_BYTES(home);
    SAME(generation);
    SAME(code);
    SAME_BYTES(auxiliary);
}

void record_same(const struct delegation_record *a, const struct delegation_record *b)
{
    ck_assert_uint_eq(a->type, b->type);
    switch (a->type) {
    case DELEGATION_RECORD_START:
        return start_same(&a->start, &b->start);
    case DELEGATION_RECORD_STOP:
        return stop_same(&a->stop, &b->stop);
    case DELEGATION_RECORD_ACK:
        return ack_same(&a->ack, &b->ack);
    case DELEGATION_RECORD_RATE:
        return rate_same(&a->rate, &b->rate);
    case DELEGATION_RECORD_LOAD:
        return load_same(&a->load, &b->load);
    case DELEGATION_RECORD_LEASE:
        return lease_same(&a->lease, &b->lease);
    case DELEGATION_RECORD_HELLO:
        return hello_same(&a->hello, &b->hello);
    case DELEGATION_RECORD_DIGEST:
        return digest_same(&a->digest, &b->digest);
    case DELEGATION_RECORD_EVENT:
        return event_same(&a->event, &b->event);
    default:
        ck_abort_msg("type %u", a->type);
    }
}
