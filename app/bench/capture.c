/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "pkt.h"

/* Only what a worker would send on is of interest; the rest of what it refuses is not looked for here. */
static bool is_wanted(const uint8_t *frame, uint32_t len)
{
    const uint8_t *ip = frame + ETHERNET_LEN;
    if (len < ETHERNET_LEN + IPV4_LEN_MIN || len > CAPTURE_FRAME_MAX)
        return false;
    if (pkt_read16(frame + 12) != ETHERTYPE_IPV4 || ip[0] >> 4 != 4 || (frame[0] & 1) != 0)
        return false;
    uint16_t total = pkt_read16(ip + 2);
    return total >= IPV4_LEN_MIN && total <= len - ETHERNET_LEN && ip[16] != 0 && ip[16] < 0xe0;
}

static bool add(struct capture *c, const uint8_t *bytes, uint32_t len)
{
    uint8_t *copy = malloc(len);
    if (copy == NULL)
        return false;
    memcpy(copy, bytes, len);
    c->frames[c->n_frames++] = (struct captured){.bytes = copy, .len = (uint16_t)len};
    return true;
}

static bool read_frames(struct capture *c, pcap_t *pcap, const char *path)
{
    struct pcap_pkthdr *header;
    const uint8_t *bytes;
    int ret = 1;
    while (c->n_frames < CAPTURE_FRAMES_MAX && (ret = pcap_next_ex(pcap, &header, &bytes)) == 1) {
        if (header->caplen < header->len || !is_wanted(bytes, header->caplen))
            c->n_left_out++;
        else if (!add(c, bytes, header->caplen))
            return false;
    }
    if (ret == PCAP_ERROR)
        fprintf(stderr, "homeport-bench: %s: %s\n", path, pcap_geterr(pcap));
    return ret != PCAP_ERROR;
}

static uint32_t destination(const struct captured *frame)
{
    uint32_t address;
    memcpy(&address, frame->bytes + ETHERNET_LEN + 16, sizeof(address));
    return address;
}

static int compare(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

/* Each destination once, in ascending order; and for each frame the number of its own. */
static bool number_homes(struct capture *c)
{
    c->homes = malloc(c->n_frames * sizeof(*c->homes));
    if (c->homes == NULL)
        return false;
    for (uint32_t i = 0; i < c->n_frames; i++)
        c->homes[i] = destination(&c->frames[i]);
    qsort(c->homes, c->n_frames, sizeof(*c->homes), compare);
    for (uint32_t i = 0; i < c->n_frames; i++)
        if (i == 0 || c->homes[i] != c->homes[i - 1])
            c->homes[c->n_homes++] = c->homes[i];
    for (uint32_t i = 0; i < c->n_frames; i++) {
        uint32_t home = destination(&c->frames[i]);
        const uint32_t *at = bsearch(&home, c->homes, c->n_homes, sizeof(*c->homes), compare);
        c->frames[i].binding = (uint32_t)(at - c->homes);
    }
    return true;
}

static bool take_in(struct capture *c, pcap_t *pcap, const char *path)
{
    if (pcap_datalink(pcap) != DLT_EN10MB) {
        fprintf(stderr, "homeport-bench: %s: not a capture of Ethernet frames\n", path);
        return false;
    }
    c->frames = calloc(CAPTURE_FRAMES_MAX, sizeof(*c->frames));
    if (c->frames == NULL || !read_frames(c, pcap, path))
        return false;
    if (c->n_frames == 0) {
        fprintf(stderr, "homeport-bench: %s: no IPv4 packet for one host in it\n", path);
        return false;
    }
    memcpy(c->mac.b, c->frames[0].bytes, sizeof(c->mac.b));
    return number_homes(c);
}

struct capture *capture_read(const char *path)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(path, error);
    if (pcap == NULL) {
        fprintf(stderr, "homeport-bench: %s\n", error);
        return NULL;
    }
    struct capture *c = calloc(1, sizeof(*c));
    bool read = c != NULL && take_in(c, pcap, path);
    pcap_close(pcap);
    if (read)
        return c;
    capture_free(c);
    return NULL;
}

void capture_free(struct capture *c)
{
    if (c == NULL)
        return;
    for (uint32_t i = 0; i < c->n_frames; i++)
        free(c->frames[i].bytes);
    free(c->frames);
    free(c->homes);
    free(c);
}
