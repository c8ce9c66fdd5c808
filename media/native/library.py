"""Finds and loads the compiled half of the packet path, if it is there and of this version. Nothing else."""

from __future__ import annotations

import functools
import importlib.util
import logging
from pathlib import Path
from typing import Any

from cffi import FFI
from pylibsrtp._binding import ffi as srtp_ffi
from pylibsrtp._binding import lib as srtp_lib

from media.codecs import RTX_PT, VP8_PT
from media.native.build import DECLARED, MODULE, NAME, RESULT, digest

log = logging.getLogger("hyeopjin.media.native")

CALLS = ("srtp_protect", "srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp")
"""As `hj_set` takes them."""
TIMED = frozenset({VP8_PT, RTX_PT})
"""Payload types that get a send time. Others may be sent twice and must then be the same."""


class OtherVersionError(ImportError):
    """What was built is not of the source that is here: nothing of it may be called but `hj_source`."""


class Library:
    """`ffi` for cells, `lib` for calls. Raises OtherVersionError."""

    def __init__(self, ffi: Any, lib: Any) -> None:
        self.ffi, self.lib = ffi, lib
        if ffi.string(lib.hj_source()).decode() != digest():
            raise OtherVersionError("it is of another version: run deploy/setup.sh")
        calls = [self.pointer(srtp_ffi.addressof(srtp_lib, name)) for name in CALLS]
        lib.hj_set(ffi.new("void *[]", calls), bytes(pt in TIMED for pt in range(128)))

    def pointer(self, cell: Any) -> Any:
        """A pointer of libsrtp's binding as one of ours."""
        return self.ffi.cast("void *", int(srtp_ffi.cast("uintptr_t", cell)))


def of_module(path: Path) -> Library:
    """The module form. Raises ImportError or OSError."""
    spec = importlib.util.spec_from_file_location(NAME, path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Library(module.ffi, module.lib)


def of_library(path: Path) -> Library:
    """The plain form. Raises OSError or AttributeError."""
    made: Any = FFI  # cffi has no types
    ffi = made()
    ffi.cdef(DECLARED)
    return Library(ffi, ffi.dlopen(str(path)))


@functools.cache
def load() -> Library | None:
    """What was built from the source here; None without it."""
    for path, of in ((MODULE, of_module), (RESULT, of_library)):
        if not path.exists():
            continue
        try:
            return of(path)
        except (OSError, ImportError, AttributeError) as error:
            log.warning("the compiled media path cannot be loaded: %s", error)
    return None
