/* The packet path's receiving end in C: sockets and SRTP, nothing that decides.
 *
 * hj_receive takes what waits on a socket, tells it apart by first byte and source (RFC 7983), unprotects media of
 * known sources and clears what belongs to one hop from its header extension (RFC 8285). What goes out is send.c's.
 * Who gets what, with which numbers, what is missing and what is recorded is Python's, and so is every datagram that
 * is not plain media. media/srtp.py, media/ice/hub.py and media/rtp/packets.py say the same in Python;
 * tests/unit/test_native_same.py holds both to one behaviour. One thread, no callbacks, no allocation after hj_new.
 * Nothing here trusts a length it was sent.
 */
#include "hj.h"

#include <stdlib.h>
#include <time.h>

#ifndef HJ_SOURCE
#define HJ_SOURCE "unknown"
#endif
#ifndef HJ_PLACES
#define HJ_PLACES 16384
#endif

enum {
    BATCH = 32,
    PLACES = HJ_PLACES, /* of the table; a power of two */
    MOST = PLACES / 4 * 3,
};
enum { RAW, RTP, CLEAN, RTCP };
enum { ABS_SEND_TIME = 2, TRANSPORT_CC = 3, FIRST_NAME = 4, LAST_NAME = 6 }; /* MID, RID, repaired RID */

/* What Python reads of one datagram; drain.py has the same layout. */
struct hj_item {
    int64_t at_ns;
    uint32_t kind, slot, offset, size, ssrc, timestamp;
    int32_t transport;
    uint16_t sequence, payload;
    uint8_t second, spare[7];
};

struct place {
    uint32_t fd;
    uint16_t family, port;
    uint8_t address[16];
    struct hj_peer *peer; /* NULL: free */
};

struct hj_drain {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    uint8_t from[BATCH][ADDRESS];
    struct hj_item items[BATCH];
    struct place table[PLACES];
    uint32_t held, partial; /* partial: there are sources that only Python knows */
    uint8_t data[BATCH][DATAGRAM];
};

static srtp_call unprotect, unprotect_rtcp;
static uint8_t timed[128]; /* payload types whose packets get a send time */
struct hj_counters hj_counters;
srtp_call hj_protect, hj_protect_rtcp;

const char *hj_source(void) { return HJ_SOURCE; }

/* libsrtp's functions (protect, unprotect, and both of RTCP), and which payload types get a send time (128 flags). */
void hj_set(void *const *calls, const uint8_t *types)
{
    hj_protect = (srtp_call)calls[0];
    unprotect = (srtp_call)calls[1];
    hj_protect_rtcp = (srtp_call)calls[2];
    unprotect_rtcp = (srtp_call)calls[3];
    memcpy(timed, types, sizeof timed);
}

struct hj_drain *hj_new(void)
{
    struct hj_drain *d = calloc(1, sizeof *d);
    for (int i = 0; d && i < BATCH; i++) {
        d->parts[i] = (struct iovec){d->data[i], DATAGRAM};
        d->messages[i].msg_hdr.msg_iov = &d->parts[i];
        d->messages[i].msg_hdr.msg_iovlen = 1;
        d->messages[i].msg_hdr.msg_name = d->from[i];
    }
    return d;
}

void hj_free(struct hj_drain *d) { free(d); }
void *hj_items(struct hj_drain *d) { return d->items; }
void *hj_data(struct hj_drain *d) { return d->data; }

/* -- sources */

/* 0 for what is not looked up: another family, or an address with a scope. */
static int key_of(struct place *key, int fd, const uint8_t *address, uint32_t size)
{
    memset(key, 0, sizeof *key);
    key->fd = (uint32_t)fd;
    if (size >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof four);
        key->family = four.sin_family;
        key->port = four.sin_port;
        if (four.sin_family == AF_INET) {
            memcpy(key->address, &four.sin_addr, 4);
            return 1;
        }
    }
    if (size >= sizeof(struct sockaddr_in6) && key->family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, address, sizeof six);
        memcpy(key->address, &six.sin6_addr, 16);
        return six.sin6_scope_id == 0;
    }
    return 0;
}

static uint32_t hash_of(const struct place *key)
{
    uint64_t a, b, h = (uint64_t)key->fd << 32 | (uint32_t)key->family << 16 | key->port;
    memcpy(&a, key->address, 8);
    memcpy(&b, key->address + 8, 8);
    h = (h ^ a * 0x9E3779B97F4A7C15ull ^ b * 0xC2B2AE3D27D4EB4Full) * 0xFF51AFD7ED558CCDull;
    return (uint32_t)(h >> 40) & (PLACES - 1);
}

static struct place *find(struct hj_drain *d, const struct place *key)
{
    uint32_t at = hash_of(key);
    while (d->table[at].peer && memcmp(&d->table[at], key, offsetof(struct place, peer)))
        at = (at + 1) & (PLACES - 1);
    return &d->table[at];
}

/* Datagrams from this address to this socket are `peer`'s. 0: taken; -1: they stay Python's to tell apart. */
int hj_put(struct hj_drain *d, int fd, const uint8_t *address, uint32_t size, struct hj_peer *peer)
{
    struct place key, *place;
    if (!key_of(&key, fd, address, size) || (!(place = find(d, &key))->peer && d->held >= MOST)) {
        d->partial = 1;
        return -1;
    }
    d->held += !place->peer;
    *place = key;
    place->peer = peer;
    return 0;
}

void hj_remove(struct hj_drain *d, int fd, const uint8_t *address, uint32_t size)
{
    struct place key, *place;
    uint32_t hole, at;

    if (!key_of(&key, fd, address, size) || !(place = find(d, &key))->peer)
        return;
    d->held--;
    hole = at = (uint32_t)(place - d->table);
    for (;;) { /* what follows without a gap moves up, unless it stands before where it belongs */
        d->table[hole].peer = NULL;
        do {
            at = (at + 1) & (PLACES - 1);
            if (!d->table[at].peer)
                return;
        } while (((at - hash_of(&d->table[at])) & (PLACES - 1)) < ((at - hole) & (PLACES - 1)));
        d->table[hole] = d->table[at];
        hole = at;
    }
}

/* -- what a packet is */

/* Version 2; CSRCs, extension and padding end inside the packet (RFC 3550 5.1). */
static int plausible(const uint8_t *p, uint32_t size)
{
    uint32_t at = RTP_HEADER + 4 * (uint32_t)(p[0] & 15);
    if (size < RTP_HEADER || p[0] >> 6 != 2 || (p[0] & 0x10 && at + 4 > size))
        return 0;
    if (p[0] & 0x10)
        at += 4 + 4 * half(p + at + 2);
    return at <= size && (!(p[0] & 0x20) || (p[size - 1] > 0 && p[size - 1] <= size - at));
}

/* Clears transport-cc and puts the next hop's send time first, as `scan` does. 0: left as it was, for Python:
 * it names a MID or RID, is not of the one-byte form or not well-formed. The packet is plausible. */
static int clean(uint8_t *p, struct hj_item *item)
{
    uint32_t start = RTP_HEADER + 4 * (uint32_t)(p[0] & 15), at, end, kept = 0;
    uint8_t keep[256];
    int with_time = timed[p[1] & 0x7F];
    item->transport = -1;
    if (!(p[0] & 0x10)) {
        item->payload = (uint16_t)start;
        return 1;
    }
    if (half(p + start) != 0xBEDE)
        return 0;
    end = start + 4 + 4 * half(p + start + 2);
    start += 4;
    if (end - start > sizeof keep)
        return 0;
    item->payload = (uint16_t)end;
    for (at = start; at < end;) {
        uint32_t element = p[at] >> 4, after = at + (p[at] ? 2u + (p[at] & 15) : 1);
        if (after > end || element == 15 || (element >= FIRST_NAME && element <= LAST_NAME))
            return 0;
        if (element == TRANSPORT_CC) {
            if (after - at == 3)
                item->transport = (int32_t)half(p + at + 1);
        } else if (p[at] && (element != ABS_SEND_TIME || !with_time)) {
            memcpy(keep + kept, p + at, after - at);
            kept += after - at;
        }
        at = after;
    }
    if (with_time && kept + 4 <= end - start) {
        /* 24 bits of 6.18 fixed-point seconds */
        uint64_t ns = (uint64_t)item->at_ns, seconds = ns / 1000000000u, rest = ns % 1000000000u;
        uint32_t time = (uint32_t)((seconds << 18) + (rest << 18) / 1000000000u) & 0xFFFFFF;
        put_word(p + start, (uint32_t)(ABS_SEND_TIME << 4 | 2) << 24 | time);
        memcpy(p + start + 4, keep, kept);
        memset(p + start + 4 + kept, 0, end - start - 4 - kept);
        return 1;
    }
    while (start < end) {
        uint32_t length = p[start] ? 2u + (p[start] & 15) : 1;
        if (p[start] >> 4 == TRANSPORT_CC)
            memset(p + start, 0, length);
        start += length;
    }
    return 1;
}

static int is_known(const struct hj_peer *peer, uint32_t ssrc)
{
    for (uint32_t i = 0; i < peer->known; i++)
        if (peer->ssrcs[i] == ssrc)
            return 1;
    return 0;
}

/* Unprotects one datagram of media where it lies. 0: refused. */
static int open_media(struct hj_peer *peer, uint8_t *p, struct hj_item *item)
{
    int length = (int)item->size, rtcp = p[1] >= 192 && p[1] <= 223;
    uint32_t ssrc = word(p + (rtcp ? 4 : 8));
    int known = is_known(peer, ssrc);
    if (!known && peer->known >= MAX_SSRCS)
        return 0;
    if ((rtcp ? unprotect_rtcp : unprotect)(peer->rx, p, &length))
        return 0;
    if (!known)
        peer->ssrcs[peer->known++] = ssrc;
    if (length < 0 || length > (int)item->size)
        return 0;
    item->size = (uint32_t)length;
    if (rtcp) {
        item->kind = RTCP;
        return length >= RTCP_HEADER && p[0] >> 6 == 2;
    }
    if (!plausible(p, item->size))
        return 0;
    item->second = p[1];
    item->sequence = (uint16_t)half(p + 2);
    item->timestamp = word(p + 4);
    item->ssrc = ssrc;
    item->kind = peer->cleans && clean(p, item) ? CLEAN : RTP;
    return 1;
}

/* -- for Python */

/* Takes one batch; what is forwarded from now on waits for hj_flush. -1: the socket failed; else how many items there
 * are, plus 256 when more may wait, plus 512 when hj_counters moved. */
int hj_receive(struct hj_drain *d, int fd)
{
    struct timespec now;
    int count, items = 0, flags = 0, stun = 0;
    hj_flush();
    for (int i = 0; i < BATCH; i++)
        d->messages[i].msg_hdr.msg_namelen = ADDRESS;
    count = recvmmsg(fd, d->messages, BATCH, MSG_DONTWAIT, NULL);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    clock_gettime(CLOCK_BOOTTIME, &now); /* after the last has come, so that none seems to come before it was sent */
    for (int i = 0; i < count; i++) {
        uint8_t *p = d->data[i];
        struct hj_item *item = &d->items[items];
        struct place key;
        struct hj_peer *peer;
        uint32_t size = d->messages[i].msg_len;
        int media, looked_up;
        if (size < 1 || size >= DATAGRAM) {
            hj_counters.size++, flags = 512;
            continue;
        }
        media = p[0] > 127 && p[0] < 192;
        if (p[0] > 3 && !media && (p[0] < 20 || p[0] > 63)) {
            hj_counters.first_byte++, flags = 512;
            continue;
        }
        looked_up = key_of(&key, fd, d->from[i], d->messages[i].msg_hdr.msg_namelen);
        peer = looked_up ? find(d, &key)->peer : NULL;
        stun |= p[0] < 4;
        if (looked_up && !peer && p[0] > 3 && !stun && !d->partial) { /* after STUN it may be known by its turn */
            hj_counters.unknown_source++, flags = 512;
            continue;
        }
        *item = (struct hj_item){.at_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec,
                                 .kind = RAW, .slot = (uint32_t)i, .offset = (uint32_t)i * DATAGRAM, .size = size};
        items++;
        if (!media || !peer || !peer->rx)
            continue; /* Python's: STUN, DTLS, unknown sources, media before there are keys */
        item->slot = peer->slot;
        if (size < RTP_HEADER || !open_media(peer, p, item)) {
            peer->refused++;
            items--;
            continue;
        }
        peer->packets++;
        peer->heard_ns = item->at_ns;
    }
    hj_holding = items > 0;
    return items | flags | (count == BATCH ? 256 : 0);
}

/* Copies the sender's address of raw item `index` (its slot); returns its length. */
uint32_t hj_from(struct hj_drain *d, uint32_t index, uint8_t *address)
{
    if (index >= BATCH)
        return 0;
    memcpy(address, d->from[index], ADDRESS);
    return d->messages[index].msg_hdr.msg_namelen;
}
