/* The packet path's sending end in C: a copy for each receiver with its own header, protected and sent. It decides
 * nothing: who gets a packet, and with which numbers, it is told.
 *
 * While a batch that has arrived is worked off (hj_holding), packets are protected at once, in order, and wait. hj_flush
 * then hands each receiver's over in runs: those of one size, and at most one shorter one after them, are one message
 * that the kernel takes apart (UDP_SEGMENT), and all messages are one call. Order per receiver is kept. A way that
 * refuses runs gets its packets one by one from then on. At other times packets leave at once. media/srtp.py and
 * media/fan.py say the same in Python. One thread; a link that waits stays where it is until hj_flush.
 */
#include "hj.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h, since 4.18 */
#endif

enum {
    QUEUE = 128,
    RUN_PACKETS = 64, /* UDP_MAX_SEGMENTS of the first kernels that had it */
    RUN_BYTES = 64000,
    SECOND = -1, /* as it is in the packet */
};

struct waiting {
    struct hj_link *link;
    uint32_t next, size; /* next of the same link, counted from 1; 0: none */
    uint32_t report;     /* not counted as a packet */
    uint8_t data[DATAGRAM];
};

struct run {
    struct hj_link *link;
    uint32_t first, count;
};

int hj_holding;
static struct waiting queue[QUEUE];
static struct hj_link *links[QUEUE];
static uint32_t queued, linked;
static struct mmsghdr messages[QUEUE];
static struct iovec parts[QUEUE];
static struct run runs[QUEUE];
static union {
    struct cmsghdr head;
    uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
} controls[QUEUE];

static void lose(const struct waiting *one)
{
    hj_counters.send_failed++;
    one->link->refused++;
    if (!one->report)
        one->link->packets--, one->link->bytes -= one->size;
}

/* A message that did not leave, by errno: lost where there is no room for it; else its packets are tried singly. */
static void again(const struct run *run)
{
    struct hj_link *to = run->link;
    int full = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ENOMEM;
    if (run->count > 1 && !full)
        to->single = 1;
    for (uint32_t at = run->first, n = 0; n < run->count; at = queue[at - 1].next, n++) {
        struct waiting *one = &queue[at - 1];
        if (run->count == 1 || full ||
            sendto(to->fd, one->data, one->size, 0, (const struct sockaddr *)to->address, to->address_size) < 0)
            lose(one);
    }
}

/* Begins a message with packet `at` (from 1) of a link and takes along what may follow; returns what is left. */
static uint32_t gather(struct hj_link *to, uint32_t at, uint32_t *made, uint32_t *used)
{
    struct msghdr *message = &messages[*made].msg_hdr;
    struct run *run = &runs[*made];
    uint32_t size = queue[at - 1].size, total = 0, last;
    *run = (struct run){to, at, 0};
    *message = (struct msghdr){.msg_name = to->address, .msg_namelen = to->address_size, .msg_iov = &parts[*used]};
    do {
        last = queue[at - 1].size;
        parts[(*used)++] = (struct iovec){queue[at - 1].data, last};
        total += last;
        run->count++;
        at = queue[at - 1].next;
    } while (at && !to->single && last == size && queue[at - 1].size <= size && run->count < RUN_PACKETS &&
             total + size <= RUN_BYTES);
    message->msg_iovlen = run->count;
    if (run->count > 1) {
        uint16_t segment = (uint16_t)size;
        struct cmsghdr *head = &controls[*made].head;
        *head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof segment), .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT};
        memcpy(CMSG_DATA(head), &segment, sizeof segment);
        message->msg_control = head;
        message->msg_controllen = sizeof controls[0].bytes;
    }
    (*made)++;
    return at;
}

/* Sends what waits; from now on packets leave at once. */
void hj_flush(void)
{
    uint32_t made = 0, used = 0, at = 0;
    hj_holding = 0;
    for (uint32_t n = 0; n < linked; n++) {
        for (uint32_t next = links[n]->first; next;)
            next = gather(links[n], next, &made, &used);
        links[n]->first = links[n]->last = 0;
    }
    queued = linked = 0;
    while (at < made) {
        uint32_t same = 1;
        int sent;
        while (at + same < made && runs[at + same].link->fd == runs[at].link->fd)
            same++;
        sent = sendmmsg(runs[at].link->fd, &messages[at], same, 0);
        if (sent > 0)
            at += (uint32_t)sent;
        else
            again(&runs[at++]);
    }
}

/* A free place; what waits goes out when there is none. */
static uint8_t *place(void)
{
    if (queued == QUEUE) {
        int holding = hj_holding;
        hj_flush();
        hj_holding = holding;
    }
    return queue[queued].data;
}

/* What lies in `place`, protected, is the link's next. */
static void append(struct hj_link *to, uint32_t size, uint32_t report)
{
    struct waiting *one = &queue[queued];
    one->link = to;
    one->next = 0;
    one->size = size;
    one->report = report;
    if (to->last)
        queue[to->last - 1].next = queued + 1;
    else
        to->first = queued + 1, links[linked++] = to;
    to->last = ++queued;
    if (!report)
        to->packets++, to->bytes += size;
}

static void put(struct hj_link *to, const uint8_t *packet, uint32_t size, int second, uint32_t number, uint32_t timestamp,
                uint32_t ssrc)
{
    uint8_t *data = place();
    int length = (int)size;
    if (size < RTP_HEADER || size > MAX_PACKET) {
        to->refused++;
        return;
    }
    memcpy(data, packet, size);
    if (second != SECOND)
        data[1] = (uint8_t)second;
    data[2] = (uint8_t)(number >> 8), data[3] = (uint8_t)number;
    put_word(data + 4, timestamp);
    put_word(data + 8, ssrc);
    if (hj_protect(to->tx, data, &length))
        to->refused++;
    else
        append(to, (uint32_t)length, 0);
}

/* -- for Python */

/* Sends a copy with a new header; the marker bit stays, values are taken modulo their field. 1: not over UDP. */
int hj_forward(struct hj_link *to, const uint8_t *packet, int size, int pt, int64_t seq, int64_t timestamp, int64_t ssrc)
{
    if (to->fd < 0)
        return 1;
    if (size < RTP_HEADER)
        to->refused++;
    else
        put(to, packet, (uint32_t)size, (packet[1] & 0x80) | (pt & 0x7F), (uint32_t)seq, (uint32_t)timestamp, (uint32_t)ssrc);
    if (!hj_holding)
        hj_flush();
    return 0;
}

/* The same for several receivers at once. Returns how many of them are not over UDP and were left out. */
int hj_spread(const struct hj_way *ways, int count, const uint8_t *packet, int size, int64_t number, int64_t timestamp)
{
    int left = 0;
    for (int n = 0; n < count; n++) {
        const struct hj_way *way = &ways[n];
        if (way->link->fd < 0)
            left++;
        else if (size < RTP_HEADER)
            way->link->refused++;
        else
            put(way->link, packet, (uint32_t)size, SECOND, (uint32_t)((uint64_t)number + (uint64_t)way->number),
                (uint32_t)((uint64_t)timestamp + (uint64_t)way->timestamp), way->ssrc);
    }
    if (!hj_holding)
        hj_flush();
    return left;
}

/* Protects and sends one RTCP compound. 1: not over UDP. */
int hj_report(struct hj_link *to, const uint8_t *packet, int size)
{
    uint8_t *data = place();
    int length = size;
    if (to->fd < 0)
        return 1;
    if (size < RTCP_HEADER || size > MAX_PACKET) {
        to->refused++;
        return 0;
    }
    memcpy(data, packet, (size_t)size);
    if (hj_protect_rtcp(to->tx, data, &length))
        to->refused++;
    else
        append(to, (uint32_t)length, 1);
    if (!hj_holding)
        hj_flush();
    return 0;
}
