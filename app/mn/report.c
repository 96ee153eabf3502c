/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <ctype.h>
#include <inttypes.h>

static const char *const reply_names[] = {
#define X(name, text) #name,
    MOBILE_VERDICTS(X)
#undef X
};

static const char *const tunnel_names[] = {
#define X(name, text) #name,
    TUNNEL_VERDICTS(X)
#undef X
};

static const unsigned percents[] = {50, 90, 99};
enum { PERCENTS = sizeof(percents) / sizeof(percents[0]) };

/* Accepted registrations in the time from the first request to the last acceptance. */
static double registrations_per_s(const struct tally *t)
{
    if (t->accepted == 0 || t->last_accepted_ns <= t->first_request_ns)
        return 0;
    return (double)t->accepted * 1e9 / (double)(t->last_accepted_ns - t->first_request_ns);
}

static uint64_t unexpected(const struct report *r)
{
    const struct tally *t = fleet_tally(r->fleet);
    uint64_t sum = t->unknown_home;
    for (int i = 0; i < MOBILE_VERDICT_COUNT; i++)
        sum += t->discarded[i];
    for (int i = TUNNEL_DELIVERED + 1; i < TUNNEL_VERDICT_COUNT; i++)
        sum += r->tunnel->verdicts[i];
    return sum;
}

void report_progress(FILE *to, const struct report *r, const struct progress *last, uint64_t now_ns)
{
    const struct census c = fleet_census(r->fleet, now_ns);
    fprintf(to,
            "registered %zu  pending %zu  failed %zu  |  %" PRIu64 " registrations/s  |  %" PRIu64
            " packets, %" PRIu64 "/s",
            c.registered, c.pending, c.failed, last->accepted, r->tunnel->verdicts[TUNNEL_DELIVERED],
            last->packets);
}

/* All home addresses' streams together: with ten thousand of them nobody reads each. */
static struct stream_sum stream_total(struct fleet *fleet)
{
    struct stream_sum total = {0};
    for (size_t i = 0; i < fleet_count(fleet); i++) {
        const struct stream_sum sum = arrivals_sum(&fleet_node(fleet, i)->arrivals);
        stream_sum_add(&total, &sum);
    }
    return total;
}

static void json_stream_total(FILE *to, struct fleet *fleet)
{
    const struct stream_sum s = stream_total(fleet);
    fprintf(to,
            ",\"stream_total\":{\"received\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"duplicates\":%" PRIu64
            ",\"out_of_order\":%" PRIu64 ",\"longest_gap_us\":%" PRIu64 "}",
            s.received, s.lost, s.duplicates, s.out_of_order, s.longest_gap_ns / NSEC_PER_US);
}

void report_status(FILE *to, const struct report *r, uint64_t now_ns, bool json)
{
    const struct census c = fleet_census(r->fleet, now_ns);
    const uint64_t accepted = fleet_tally(r->fleet)->accepted;
    const uint64_t packets = r->tunnel->verdicts[TUNNEL_DELIVERED];
    if (json) {
        fprintf(to,
                "{\"registered\":%zu,\"pending\":%zu,\"failed\":%zu,\"others\":%zu,\"accepted\":%" PRIu64
                ",\"packets\":%" PRIu64,
                c.registered, c.pending, c.failed, c.others, accepted, packets);
        json_stream_total(to, r->fleet);
        fputs("}\n", to);
    } else {
        fprintf(to,
                "registered=%zu pending=%zu failed=%zu others=%zu accepted=%" PRIu64 " packets=%" PRIu64 "\n",
                c.registered, c.pending, c.failed, c.others, accepted, packets);
    }
    fflush(to);
}

static void text_codes(FILE *to, const struct fleet *fleet, const char *what,
                       const uint64_t counts[static 256])
{
    for (int code = 0; code < 256; code++)
        if (counts[code] > 0)
            fprintf(to, "%s %d (%s): %" PRIu64 "\n", what, code, fleet_code_text(fleet, (uint8_t)code),
                    counts[code]);
}

static void text_count(FILE *to, const char *what, uint64_t count)
{
    if (count > 0)
        fprintf(to, "%s: %" PRIu64 "\n", what, count);
}

static void text_latency(FILE *to, const struct histogram *h)
{
    fputs("round trip, us:", to);
    for (int i = 0; i < PERCENTS; i++)
        fprintf(to, " p%u %" PRIu64, percents[i], histogram_percentile(h, percents[i]));
    fprintf(to, " max %" PRIu64 "\n", h->max);
}

static void text_unexpected(FILE *to, const struct report *r)
{
    const struct tally *t = fleet_tally(r->fleet);
    for (int i = 0; i < MOBILE_VERDICT_COUNT; i++)
        text_count(to, mobile_verdict_text((enum mobile_verdict)i), t->discarded[i]);
    text_codes(to, r->fleet, "  with code", t->unverified);
    text_count(to, "reply for a home address that is none of ours", t->unknown_home);
    for (int i = TUNNEL_DELIVERED + 1; i < TUNNEL_VERDICT_COUNT; i++)
        if (r->tunnel->verdicts[i] > 0)
            fprintf(to, "tunnelled datagram %s: %" PRIu64 "\n", tunnel_verdict_text((enum tunnel_verdict)i),
                    r->tunnel->verdicts[i]);
    text_count(to, "tunnelled datagrams lost between the kernel and here", r->tunnel->overflowed);
    text_count(to, "datagrams that the TUN device refused", r->tunnel->refused);
    text_count(to, "datagrams that the reverse tunnel did not take", r->tunnel->unreversed);
    if (r->unsent > 0)
        fprintf(to, "requests not sent (%s): %" PRIu64 "\n", strerror(r->unsent_errno), r->unsent);
}

static void text_homes(FILE *to, struct fleet *fleet)
{
    for (size_t i = 0; i < fleet_count(fleet); i++) {
        const struct node *n = fleet_node(fleet, i);
        const struct stream_sum s = arrivals_sum(&n->arrivals);
        char home[ADDR_TEXT_MAX];
        if (n->arrivals.packets == 0)
            continue;
        fprintf(to, "%s: %" PRIu64 " packets, %" PRIu64 " bytes", addr_format(&n->mobile.identity.home, home),
                n->arrivals.packets, n->arrivals.bytes);
        if (s.received > 0)
            fprintf(to,
                    "; stream: %" PRIu64 " received, %" PRIu64 " lost, %" PRIu64 " duplicates, %" PRIu64
                    " out of order",
                    s.received, s.lost, s.duplicates, s.out_of_order);
        fputc('\n', to);
    }
}

void report_text(FILE *to, const struct report *r)
{
    const struct tally *t = fleet_tally(r->fleet);
    fprintf(to,
            "%" PRIu64 " registrations asked for, %" PRIu64 " accepted, %" PRIu64 " given up, %" PRIu64
            " retransmissions\n",
            t->requests, t->accepted, t->timeouts, t->retransmissions);
    fprintf(to, "%.1f registrations/s, at best %" PRIu64 " in a second\n", registrations_per_s(t), r->peak);
    text_latency(to, &t->latency_us);
    text_codes(to, r->fleet, "denied, code", t->denied);
    fprintf(to, "%" PRIu64 " packets, %" PRIu64 " bytes through the tunnel\n",
            r->tunnel->verdicts[TUNNEL_DELIVERED], r->tunnel->bytes);
    text_count(to, "packets through the reverse tunnel", r->tunnel->reversed);
    text_homes(to, r->fleet);
    text_unexpected(to, r);
}

static void json_codes(FILE *to, const char *name, const uint64_t counts[static 256])
{
    const char *comma = "";
    fprintf(to, ",\"%s\":{", name);
    for (int code = 0; code < 256; code++) {
        if (counts[code] == 0)
            continue;
        fprintf(to, "%s\"%d\":%" PRIu64, comma, code, counts[code]);
        comma = ",";
    }
    fputc('}', to);
}

static void json_key(FILE *to, const char *name)
{
    fputc('"', to);
    for (; *name != '\0'; name++)
        fputc(tolower((unsigned char)*name), to);
    fputs("\":", to);
}

/* Every reason, the ones that did not occur too. */
static void json_reasons(FILE *to, const char *name, const char *const *names, const uint64_t *counts,
                         int first, int count)
{
    fprintf(to, ",\"%s\":{", name);
    for (int i = first; i < count; i++) {
        if (i > first)
            fputc(',', to);
        json_key(to, names[i]);
        fprintf(to, "%" PRIu64, counts[i]);
    }
    fputc('}', to);
}

static void json_latency(FILE *to, const struct histogram *h)
{
    fputs(",\"latency_us\":{", to);
    for (int i = 0; i < PERCENTS; i++)
        fprintf(to, "\"p%u\":%" PRIu64 ",", percents[i], histogram_percentile(h, percents[i]));
    fprintf(to, "\"max\":%" PRIu64 "}", h->max);
}

static void json_homes(FILE *to, struct fleet *fleet)
{
    const char *comma = "";
    fputs(",\"home_addresses\":[", to);
    for (size_t i = 0; i < fleet_count(fleet); i++) {
        const struct node *n = fleet_node(fleet, i);
        char home[ADDR_TEXT_MAX];
        if (n->arrivals.packets == 0)
            continue;
        fprintf(to, "%s{\"home_address\":\"%s\",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", comma,
                addr_format(&n->mobile.identity.home, home), n->arrivals.packets, n->arrivals.bytes);
        comma = ",";
    }
    fputc(']', to);
}

static void json_streams(FILE *to, struct fleet *fleet)
{
    const char *comma = "";
    fputs(",\"streams\":[", to);
    for (size_t i = 0; i < fleet_count(fleet); i++) {
        const struct node *n = fleet_node(fleet, i);
        const struct stream_sum s = arrivals_sum(&n->arrivals);
        char home[ADDR_TEXT_MAX];
        if (s.received == 0)
            continue;
        fprintf(to,
                "%s{\"home_address\":\"%s\",\"received\":%" PRIu64 ",\"lost\":%" PRIu64
                ",\"duplicates\":%" PRIu64 ",\"out_of_order\":%" PRIu64 "}",
                comma, addr_format(&n->mobile.identity.home, home), s.received, s.lost, s.duplicates,
                s.out_of_order);
        comma = ",";
    }
    fputc(']', to);
    json_stream_total(to, fleet);
}

void report_json(FILE *to, const struct report *r)
{
    const struct tally *t = fleet_tally(r->fleet);
    fprintf(to, "{\"registrations\":%" PRIu64 ",\"accepted\":%" PRIu64, t->requests, t->accepted);
    json_codes(to, "denied", t->denied);
    fprintf(to, ",\"timeouts\":%" PRIu64 ",\"retransmissions\":%" PRIu64 ",\"unsent\":%" PRIu64, t->timeouts,
            t->retransmissions, r->unsent);
    json_latency(to, &t->latency_us);
    fprintf(to, ",\"registrations_per_s\":%.1f,\"peak_registrations_per_s\":%" PRIu64, registrations_per_s(t),
            r->peak);
    fprintf(to, ",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64, r->tunnel->verdicts[TUNNEL_DELIVERED],
            r->tunnel->bytes);
    json_homes(to, r->fleet);
    json_streams(to, r->fleet);
    fprintf(to, ",\"unexpected\":%" PRIu64, unexpected(r));
    json_reasons(to, "replies_discarded", reply_names, t->discarded, MOBILE_NOT_ASKED, MOBILE_VERDICT_COUNT);
    json_codes(to, "replies_unverified", t->unverified);
    fprintf(to, ",\"replies_unknown_home\":%" PRIu64, t->unknown_home);
    json_reasons(to, "datagrams_discarded", tunnel_names, r->tunnel->verdicts, TUNNEL_DELIVERED + 1,
                 TUNNEL_VERDICT_COUNT);
    fprintf(to,
            ",\"receive_overflows\":%" PRIu64 ",\"tun_refused\":%" PRIu64 ",\"reverse_packets\":%" PRIu64
            ",\"reverse_refused\":%" PRIu64 "}\n",
            r->tunnel->overflowed, r->tunnel->refused, r->tunnel->reversed, r->tunnel->unreversed);
}
