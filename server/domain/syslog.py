"""An audit entry as a syslog message: RFC 5424, and RFC 6587's octet counting for streams. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from server.domain.trail import GAP_ACKNOWLEDGED, GLASS_BROKEN, SIGN_IN_FAILED, is_copy

FACILITY: Final = 13  # log audit
WARNING, NOTICE, INFORMATIONAL = 4, 5, 6
APP: Final = "hyeopjin"
MOST_BYTES: Final = 8_192
_NOT_A_WORD = re.compile(r"[^\x21-\x7e]")


def message(at_ms: int, action: str, facts: Mapping[str, object], host: str, enterprise: int) -> bytes:
    """`facts` become the parameters of one structured-data element; None and empty ones are left out."""
    header = f"<{FACILITY * 8 + severity(action)}>1 {timestamp(at_ms)} {_word(host, 255)} {APP} - "
    kept = [
        f' {_word(name, 32)}="{escaped(str(value))}"'
        for name, value in facts.items()
        if value not in (None, "")
    ]
    element = f"[audit@{enterprise}{''.join(kept)}]"
    return f"{header}{_word(action, 32)} {element}".encode()[:MOST_BYTES]


def framed(one: bytes) -> bytes:
    """Octet counting: MSG-LEN SP SYSLOG-MSG (RFC 6587, 3.4.1; RFC 5425, 4.3)."""
    return b"%d %s" % (len(one), one)


def severity(action: str) -> int:
    """A collector's rules look at this first."""
    if action in (GAP_ACKNOWLEDGED, GLASS_BROKEN, SIGN_IN_FAILED):
        return WARNING
    return NOTICE if is_copy(action) else INFORMATIONAL


def timestamp(at_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def escaped(value: str) -> str:
    """A PARAM-VALUE: quote, backslash and bracket with a backslash before; no control characters."""
    plain = "".join(" " if ord(each) < 32 or ord(each) == 127 else each for each in value)
    return re.sub(r'(["\\\]])', r"\\\1", plain)


def _word(text: str, longest: int) -> str:
    """PRINTUSASCII without what SD-NAMEs exclude; `-` for nothing."""
    return _NOT_A_WORD.sub("", text).translate(str.maketrans("", "", '="]'))[:longest] or "-"
