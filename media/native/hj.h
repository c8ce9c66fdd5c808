/* What the two ends of the compiled packet path share. They link libc only: libsrtp's functions and sessions are given
 * to them as pointers. drain.py and build.py have the same layouts. */
#ifndef HJ_H
#define HJ_H
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

enum {
    DATAGRAM = 2048, /* one that fills it has been cut */
    MAX_PACKET = 1500,
    RTP_HEADER = 12,
    RTCP_HEADER = 8,
    MAX_SSRCS = 64,
    ADDRESS = 28, /* sizeof(struct sockaddr_in6) */
};

typedef int (*srtp_call)(void *session, void *packet, int *length);

/* Where one session's packets come from: its keys and the streams it has used. */
struct hj_peer {
    void *rx;
    int64_t heard_ns;
    uint64_t packets, refused;
    uint32_t slot, cleans, known;
    uint32_t ssrcs[MAX_SSRCS];
};

/* Where one session's packets go. */
struct hj_link {
    void *tx;
    int32_t fd; /* negative: not over UDP */
    uint32_t address_size;
    uint8_t address[ADDRESS];
    uint64_t packets, bytes, refused;
    uint32_t first, last; /* of those that wait for hj_flush, counted from 1 */
    uint32_t single;      /* packets leave one at a time: the way there takes no run of them */
};

/* One delivery of a source: what is added to its numbers and times on this way, modulo their fields. */
struct hj_way {
    struct hj_link *link;
    int64_t number, timestamp;
    uint32_t ssrc;
};

struct hj_counters {
    uint64_t size, first_byte, unknown_source, send_failed;
};

extern struct hj_counters hj_counters;
extern srtp_call hj_protect, hj_protect_rtcp;
extern int hj_holding; /* what is forwarded waits for hj_flush */

struct hj_drain;
const char *hj_source(void);
void hj_set(void *const *calls, const uint8_t *types);
struct hj_drain *hj_new(void);
void hj_free(struct hj_drain *d);
void *hj_items(struct hj_drain *d);
void *hj_data(struct hj_drain *d);
int hj_put(struct hj_drain *d, int fd, const uint8_t *address, uint32_t size, struct hj_peer *peer);
void hj_remove(struct hj_drain *d, int fd, const uint8_t *address, uint32_t size);
int hj_receive(struct hj_drain *d, int fd);
uint32_t hj_from(struct hj_drain *d, uint32_t index, uint8_t *address);
int hj_forward(struct hj_link *to, const uint8_t *packet, int size, int pt, int64_t seq, int64_t timestamp, int64_t ssrc);
int hj_spread(const struct hj_way *ways, int count, const uint8_t *packet, int size, int64_t number, int64_t timestamp);
int hj_report(struct hj_link *to, const uint8_t *packet, int size);
void hj_flush(void);

static inline uint32_t word(const uint8_t *at) { return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3]; }
static inline uint32_t half(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

static inline void put_word(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24), at[1] = (uint8_t)(value >> 16), at[2] = (uint8_t)(value >> 8), at[3] = (uint8_t)value;
}
#endif
