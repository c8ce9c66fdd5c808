"""Finds and loads the compiled half of the packet path, if it is there and of this version. Nothing else."""

from __future__ import annotations

import functools
import logging
from pathlib import Path
from typing import Any

from cffi import FFI
from pylibsrtp._binding import ffi as srtp_ffi
from pylibsrtp._binding import lib as srtp_lib

from media.codecs import RTX_PT, VP8_PT
from media.native.build import RESULT, digest

log = logging.getLogger("hyeopjin.media.native")

TIMED = frozenset({VP8_PT, RTX_PT})
"""Payload types that get a send time. Others may be sent twice and must then be the same."""

DECLARED = """
struct hj_peer {
    void *rx; int64_t heard_ns; uint64_t packets, refused; uint32_t slot, cleans, known; uint32_t ssrcs[64];
};
struct hj_link {
    void *tx; int32_t fd; uint32_t address_size; uint8_t address[28]; uint64_t packets, bytes, refused;
};
struct hj_counters { uint64_t size, first_byte, unknown_source, send_failed; };
extern struct hj_counters hj_counters;
struct hj_drain;
const char *hj_source(void);
void hj_set(void *, void *, void *, const uint8_t *);
struct hj_drain *hj_new(void);
void hj_free(struct hj_drain *);
void *hj_items(struct hj_drain *);
void *hj_data(struct hj_drain *);
int hj_put(struct hj_drain *, int, const uint8_t *, uint32_t, struct hj_peer *);
void hj_remove(struct hj_drain *, int, const uint8_t *, uint32_t);
int hj_receive(struct hj_drain *, int);
uint32_t hj_from(struct hj_drain *, uint32_t, uint8_t *);
int hj_forward(struct hj_link *, const uint8_t *, int, int, int64_t, int64_t, int64_t);
"""


class Library:
    """`ffi` for cells, `lib` for calls. Raises OSError when the file cannot be loaded."""

    def __init__(self, path: Path) -> None:
        made: Any = FFI  # cffi has no types
        self.ffi = made()
        self.ffi.cdef(DECLARED)
        self.lib: Any = self.ffi.dlopen(str(path))
        self.source: str = self.ffi.string(self.lib.hj_source()).decode()
        calls = (
            self.pointer(srtp_ffi.addressof(srtp_lib, name))
            for name in ("srtp_protect", "srtp_unprotect", "srtp_unprotect_rtcp")
        )
        self.lib.hj_set(*calls, bytes(pt in TIMED for pt in range(128)))

    def pointer(self, cell: Any) -> Any:
        """A pointer of libsrtp's binding as one of ours."""
        return self.ffi.cast("void *", int(srtp_ffi.cast("uintptr_t", cell)))


@functools.cache
def load() -> Library | None:
    """The library that was built from the source here; None without one."""
    if not RESULT.exists():
        return None
    try:
        library = Library(RESULT)
    except (OSError, AttributeError) as error:
        log.warning("the compiled media path cannot be loaded: %s", error)
        return None
    if library.source != digest():
        log.warning("the compiled media path is of another version: run deploy/setup.sh")
        return None
    return library
