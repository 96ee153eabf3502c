/* SPDX-License-Identifier: BSD-3-Clause */
/* IP in IP (RFC 2003). */
#include "tunnel_family.h"

#include <arpa/inet.h>

static int listen_ipip(void)
{
    return socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_IPIP);
}

/* The kernel leaves the outer header on. */
static bool read_outer(const struct msghdr *h, const uint8_t *bytes, size_t len, struct ip_header *outer,
                       size_t *at)
{
    (void)h;
    if (ip_decode(bytes, len, outer, NULL) != IP_DECODED || outer->protocol != IPPROTO_NUM_IPIP)
        return false;
    *at = outer->header_len;
    return true;
}

static void set_tos(uint8_t *header, const struct ip_header *inner, uint8_t tos)
{
    enum { TOS = 1, CHECKSUM = 10 };
    header[TOS] = tos;
    header[CHECKSUM] = header[CHECKSUM + 1] = 0;
    const uint16_t sum = inet_finish(inet_sum(0, header, inner->header_len));
    header[CHECKSUM] = (uint8_t)(sum >> 8);
    header[CHECKSUM + 1] = (uint8_t)sum;
}

static bool send_outer(int fd, const uint8_t *datagram, const struct ip_header *outer)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(addr_ipv4(&outer->destination))};
    return sendto(fd, datagram, outer->total_len, 0, (const struct sockaddr *)&to, sizeof(to)) > 0;
}

const struct tunnel_family tunnel_ipv4 = {.domain = AF_INET,
                                          .protocol = IPPROTO_NUM_IPIP,
                                          .header = IPV4_HEADER,
                                          .listen = listen_ipip,
                                          .read = read_outer,
                                          .set_tos = set_tos,
                                          .send = send_outer};
