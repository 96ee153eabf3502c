/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

enum { US_PER_S = 1000000, ROW = 16 };

bool capture_read(struct capture *c, const char *path)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(path, error);
    if (pcap == NULL) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    struct pcap_pkthdr *header;
    const uint8_t *bytes;
    int ret;
    while ((ret = pcap_next_ex(pcap, &header, &bytes)) == 1)
        capture_append(c, (uint64_t)header->ts.tv_sec * US_PER_S + (uint64_t)header->ts.tv_usec, bytes,
                       header->caplen);
    if (ret != PCAP_ERROR_BREAK)
        fprintf(stderr, "%s: %s\n", path, pcap_geterr(pcap));
    pcap_close(pcap);
    return ret == PCAP_ERROR_BREAK;
}

bool capture_write(const struct capture *c, const char *path)
{
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, CAPTURE_FRAME_MAX);
    pcap_dumper_t *dumper = pcap_dump_open(pcap, path);
    if (dumper == NULL)
        fprintf(stderr, "%s\n", pcap_geterr(pcap));
    for (size_t i = 0; dumper != NULL && i < c->n; i++) {
        const struct frame *f = &c->frame[i];
        const struct pcap_pkthdr header = {
            .ts = {.tv_sec = (time_t)(f->at_us / US_PER_S), .tv_usec = (suseconds_t)(f->at_us % US_PER_S)},
            .caplen = f->len,
            .len = f->len,
        };
        pcap_dump((uint8_t *)dumper, &header, f->bytes);
    }
    if (dumper != NULL)
        pcap_dump_close(dumper);
    pcap_close(pcap);
    return dumper != NULL;
}

static void *must(void *memory)
{
    if (memory != NULL)
        return memory;
    fputs("out of memory\n", stderr);
    exit(EXIT_FAILURE);
}

void capture_append(struct capture *c, uint64_t at_us, const uint8_t *bytes, uint32_t len)
{
    if (c->n == c->room) {
        c->room = c->room == 0 ? 64 : 2 * c->room;
        c->frame = must(realloc(c->frame, c->room * sizeof(*c->frame)));
    }
    struct frame *f = &c->frame[c->n++];
    *f = (struct frame){.at_us = at_us, .len = len, .bytes = must(malloc(len + 1))};
    memcpy(f->bytes, bytes, len);
}

void capture_free(struct capture *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->frame[i].bytes);
    free(c->frame);
    *c = (struct capture){0};
}

/* ---- Comparison ---- */

/* Where two frames part; their common length if they do not. */
static uint32_t parting(const struct frame *a, const struct frame *b)
{
    uint32_t common = a->len < b->len ? a->len : b->len, i = 0;
    while (i < common && a->bytes[i] == b->bytes[i])
        i++;
    return i;
}

static void print_row(const struct frame *f, uint32_t from, FILE *out)
{
    fprintf(out, "    %04x ", from);
    for (uint32_t i = from; i < from + ROW && i < f->len; i++)
        fprintf(out, " %02x", f->bytes[i]);
    fputc('\n', out);
}

static void print_frame(const char *what, const struct capture *c, size_t i, FILE *out)
{
    if (i >= c->n) {
        fprintf(out, "  %s: no frame %zu\n", what, i + 1);
        return;
    }
    const struct frame *f = &c->frame[i];
    fprintf(out, "  %s: frame %zu at %" PRIu64 ".%06" PRIu64 ", %u bytes\n", what, i + 1, f->at_us / US_PER_S,
            f->at_us % US_PER_S, f->len);
    for (uint32_t at = 0; at < f->len; at += ROW)
        print_row(f, at, out);
}

static bool same(const struct frame *a, const struct frame *b)
{
    return a->at_us == b->at_us && a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool capture_compare(const struct capture *expected, const struct capture *actual, const char *name,
                     FILE *out)
{
    size_t i = 0;
    while (i < expected->n && i < actual->n && same(&expected->frame[i], &actual->frame[i]))
        i++;
    if (i == expected->n && i == actual->n)
        return true;
    fprintf(out, "%s: %zu frames expected, %zu came; they part at frame %zu", name, expected->n, actual->n,
            i + 1);
    if (i < expected->n && i < actual->n) {
        const struct frame *e = &expected->frame[i], *a = &actual->frame[i];
        uint32_t at = parting(e, a);
        if (at == e->len && at == a->len)
            fputs(", by time", out);
        else
            fprintf(out, ", at byte %u", at);
        fprintf(out, " (%+" PRId64 " us)", (int64_t)(a->at_us - e->at_us));
    }
    fputc('\n', out);
    print_frame("expected", expected, i, out);
    print_frame("actual  ", actual, i, out);
    return false;
}
