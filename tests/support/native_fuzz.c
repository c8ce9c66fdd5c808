/* Drives media/native/drain.c and send.c with random addresses and packets, under sanitizers: fuzz <seed> <rounds>.
 * libsrtp is replaced by functions that accept, shorten, lengthen or refuse. */
#define HJ_PLACES 64
#include "drain.c"
#include "send.c"
#include <stdio.h>
#include <unistd.h>

static uint64_t state;

static uint32_t dice(uint32_t below)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(state >> 33) % below;
}

static int accepts(void *session, void *packet, int *length)
{
    (void)session, (void)packet;
    if (dice(8) == 0)
        return 1;
    *length -= *length > 28 ? (int)dice(17) : 0;
    return 0;
}

static int lengthens(void *session, void *packet, int *length)
{
    (void)session;
    memset((uint8_t *)packet + *length, 7, 16);
    *length += 16;
    return dice(8) == 0;
}

static uint32_t address(uint8_t *to, uint32_t n)
{
    memset(to, 0, ADDRESS);
    if (n % 2) {
        struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = (uint16_t)n, .sin_addr = {n * 2654435761u}};
        memcpy(to, &four, sizeof four);
        return sizeof four;
    }
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = (uint16_t)n, .sin6_scope_id = n % 64 == 2};
    six.sin6_addr.s6_addr[15] = (uint8_t)n;
    memcpy(to, &six, sizeof six);
    return sizeof six;
}

/* The table against a plain list of who holds what. */
static void table(struct hj_drain *d, struct hj_peer *peers, int *held)
{
    uint32_t n = dice(100), size;
    uint8_t to[ADDRESS];
    struct place key;
    size = address(to, n);
    if (dice(2)) {
        int peer = (int)dice(8);
        if (hj_put(d, 3, to, size, &peers[peer]) == 0)
            held[n] = peer + 1;
    } else {
        hj_remove(d, 3, to, size);
        held[n] = 0;
    }
    for (n = 0; n < 100; n++) {
        size = address(to, n);
        struct hj_peer *found = key_of(&key, 3, to, size) ? find(d, &key)->peer : NULL;
        if (found != (held[n] ? &peers[held[n] - 1] : NULL))
            abort();
    }
}

static void packet(struct hj_peer *peer)
{
    uint32_t size = 1 + dice(dice(4) ? 64 : MAX_PACKET);
    uint8_t *p = malloc(size); /* exactly as long as it is: a byte beyond is found */
    struct hj_item item = {.size = size, .at_ns = (int64_t)state >> 1};
    for (uint32_t i = 0; i < size; i++)
        p[i] = (uint8_t)dice(256);
    p[0] = (uint8_t)(0x80 | (p[0] & 0x3F));
    if (size > 16 && dice(2)) {
        p[0] = 0x90, p[12] = 0xBE, p[13] = 0xDE, p[14] = 0, p[15] = (uint8_t)dice(12);
        for (uint32_t i = 16; i < size; i++)
            p[i] = dice(3) ? p[i] & 0x37 : 0;
    }
    if (size >= RTP_HEADER && open_media(peer, p, &item) && (item.size > size || item.payload > item.size))
        abort();
    if (peer->known == MAX_SSRCS && dice(40) == 0)
        peer->known = 0;
    free(p);
}

enum { FAR = 5 }; /* receivers: three that are there (one by a way that takes no runs), one nowhere, one not over UDP */

/* What is forwarded arrives whole, in order, and as often as it is counted, whatever leaves together. */
static void sending(struct hj_link *links, const int *receivers)
{
    static uint32_t count, reports, had[FAR];
    uint8_t data[MAX_PACKET + 32];
    struct hj_way ways[FAR];
    uint32_t usual = 20 + dice(1300), came = 0;
    for (int n = 0; n < FAR; n++)
        ways[n] = (struct hj_way){&links[n], (int64_t)state, -(int64_t)state, (uint32_t)n};
    hj_holding = (int)dice(2);
    for (uint32_t n = 1 + dice(dice(20) ? 12 : 90); n; n--) {
        uint32_t size = dice(4) ? usual : dice(10) ? 20 + dice(1300) : dice(sizeof data);
        uint8_t *exact = malloc(size + !size);
        memset(exact, 0x80, size);
        count++;
        if (size >= 20)
            memcpy(exact + 12, &count, 4), memcpy(exact + 16, &size, 4);
        if (dice(3)) {
            int most = (int)dice(FAR + 1), off = most == FAR;
            if (hj_spread(ways, most, exact, (int)size, (int64_t)state, INT64_MAX) != off)
                abort();
        } else if (!dice(4)) {
            uint64_t refused = links[0].refused;
            if (hj_report(&links[0], exact, (int)size) || hj_report(&links[4], exact, (int)size) != 1)
                abort();
            reports += links[0].refused == refused;
        } else
            hj_forward(&links[dice(FAR)], exact, (int)size, 96, -1, INT64_MIN, -5);
        free(exact);
        if (n % 10 == 0)
            hj_flush(), hj_holding = (int)dice(2);
    }
    hj_flush();
    for (int n = 0; n < 3; n++) {
        uint32_t last = 0, number, size;
        ssize_t got;
        while ((got = recv(receivers[n], data, sizeof data, MSG_DONTWAIT)) > 0) {
            had[n]++, came++;
            if (got < 36) /* shorter than what is numbered */
                continue;
            memcpy(&number, data + 12, 4), memcpy(&size, data + 16, 4);
            if (number <= last || size != (uint32_t)got - 16 || number > count)
                abort();
            last = number;
        }
        if (had[n] != links[n].packets + (n ? 0 : reports) || links[n].first || links[n].last || (links[n].single && n < 2))
            abort();
    }
    if (links[3].packets || links[3].bytes || links[4].packets || queued || linked)
        abort();
}

static void open_links(struct hj_link *links, int *receivers)
{
    int sender = socket(AF_INET, SOCK_DGRAM, 0), simple = socket(AF_INET, SOCK_DGRAM, 0), room = 4 << 20, one = 1;
    setsockopt(simple, SOL_SOCKET, SO_NO_CHECK, &one, sizeof one);
    for (int n = 0; n < FAR; n++) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        socklen_t size = sizeof at;
        receivers[n] = socket(AF_INET, SOCK_DGRAM, 0);
        setsockopt(receivers[n], SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
        if (bind(receivers[n], (struct sockaddr *)&at, size) || getsockname(receivers[n], (struct sockaddr *)&at, &size))
            abort();
        links[n] = (struct hj_link){.tx = links, .fd = n == 2 ? simple : n == 3 ? 1 << 20 : n == 4 ? -1 : sender, .address_size = size};
        memcpy(links[n].address, &at, size);
    }
}

int main(int argc, char **argv)
{
    static const uint8_t types[128] = {[0 ... 110] = 1};
    struct hj_drain *d = hj_new();
    struct hj_peer peers[8] = {{.rx = &peers, .cleans = 1}};
    struct hj_link links[FAR];
    int held[100] = {0}, receivers[FAR];
    uint32_t rounds = argc > 2 ? (uint32_t)atoi(argv[2]) : 1000;
    state = argc > 1 ? (uint64_t)atoi(argv[1]) : 1;
    open_links(links, receivers);
    hj_set((void *[]){(void *)lengthens, (void *)accepts, (void *)lengthens, (void *)accepts}, types);
    for (uint32_t round = 0; round < rounds; round++) {
        if (round % 50 == 0)
            table(d, peers, held);
        packet(&peers[0]);
        if (round % 20 == 0)
            sending(links, receivers);
    }
    if (rounds >= 1000 && !links[2].single)
        abort();
    hj_free(d);
    printf("%u rounds\n", rounds);
    return 0;
}
