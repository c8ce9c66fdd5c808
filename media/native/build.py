"""Compiles `drain.c` and `send.c` beside themselves: `python -m media.native.build` (deploy/setup.sh does).

With Python's headers it becomes a module (cffi's out-of-line form, a third of the time per call), without
them a plain library. Either carries its source's digest: one left over from another version is not loaded.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from cffi import FFI

HERE = Path(__file__).parent
SOURCES = (HERE / "drain.c", HERE / "send.c")
HEADER, RESULT = HERE / "hj.h", HERE / "libdrain.so"
NAME = "_hj_drain"
MODULE = HERE / f"{NAME}{sysconfig.get_config_var('EXT_SUFFIX')}"
FLAGS = ("-D_GNU_SOURCE=1", "-O2", "-fPIC", "-shared", "-fstack-protector-strong", "-Wl,-z,now")
DECLARED = """
struct hj_peer {
    void *rx; int64_t heard_ns; uint64_t packets, refused; uint32_t slot, cleans, known; uint32_t ssrcs[64];
};
struct hj_link {
    void *tx; int32_t fd; uint32_t address_size; uint8_t address[28]; uint64_t packets, bytes, refused;
    uint32_t first, last, single;
};
struct hj_way { struct hj_link *link; int64_t number, timestamp; uint32_t ssrc; };
struct hj_counters { uint64_t size, first_byte, unknown_source, send_failed; };
extern struct hj_counters hj_counters;
struct hj_drain;
const char *hj_source(void);
void hj_set(void *const *, const uint8_t *);
struct hj_drain *hj_new(void);
void hj_free(struct hj_drain *);
void *hj_items(struct hj_drain *);
void *hj_data(struct hj_drain *);
int hj_put(struct hj_drain *, int, const uint8_t *, uint32_t, struct hj_peer *);
void hj_remove(struct hj_drain *, int, const uint8_t *, uint32_t);
int hj_receive(struct hj_drain *, int);
uint32_t hj_from(struct hj_drain *, uint32_t, uint8_t *);
int hj_forward(struct hj_link *, const uint8_t *, int, int, int64_t, int64_t, int64_t);
int hj_spread(const struct hj_way *, int, const uint8_t *, int, int64_t, int64_t);
int hj_report(struct hj_link *, const uint8_t *, int);
void hj_flush(void);
"""


def digest() -> str:
    """Of the source that is here."""
    texts = b"".join(path.read_bytes() for path in (HEADER, *SOURCES))
    return hashlib.sha256(texts + DECLARED.encode()).hexdigest()[:16]


def is_built() -> bool:
    """Whether a result of the source that is here lies beside it: workers will use it. Nothing is loaded."""
    mark = digest().encode()
    return any(path.exists() and mark in path.read_bytes() for path in (MODULE, RESULT))


def build() -> bool:
    """False when there is no compiler, or it refused; the reason is on stderr."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        sys.stderr.write("no C compiler: the media path stays in Python\n")
        return False
    include = sysconfig.get_paths()["include"]
    if Path(include, "Python.h").exists():
        with tempfile.TemporaryDirectory() as folder:
            wrapped = Path(folder) / f"{NAME}.c"
            made: Any = FFI()  # type: ignore[no-untyped-call]
            made.cdef(DECLARED)
            made.set_source(NAME, f'#include "{HEADER.name}"')
            with contextlib.redirect_stdout(io.StringIO()):  # it says what it does
                made.emit_c_code(str(wrapped))
            if compiled(compiler, MODULE, str(wrapped), f"-I{include}"):
                return True
    if compiled(compiler, RESULT):
        return True
    sys.stderr.write("the C compiler refused: the media path stays in Python\n")
    return False


def compiled(compiler: str, result: Path, *more: str) -> bool:
    """Makes `result` of the sources here and `more`, or leaves what was there; False when the compiler
    refused."""
    made = result.with_suffix(f".{os.getpid()}.tmp")
    define = f'-DHJ_SOURCE="{digest()}"'
    sources = (f"-I{HERE}", *more, *map(str, SOURCES))
    done = subprocess.run([compiler, *FLAGS, define, "-o", str(made), *sources], check=False)  # noqa: S603
    if done.returncode:
        made.unlink(missing_ok=True)
        return False
    made.replace(result)
    return True


if __name__ == "__main__":
    sys.exit(0 if build() else 1)
