"""Leads a browser to the relay: the candidates of the server's offer are replaced by the relay's port.

The server is ICE-lite and learns the browser from its checks, so only the offer needs it. Nothing else of an
SDP is touched.
"""

from __future__ import annotations

import json
import re

_CANDIDATE = re.compile(
    r"^a=candidate:(?P<head>\S+ \d+ )(?P<transport>udp|tcp)(?P<priority> \d+ )\S+ \d+ ", re.I
)


def through(sdp: str, port: int, *, udp: bool = True, tcp: bool = True, host: str = "127.0.0.1") -> str:
    """The offer with the first candidate per m-line and transport, at the relay; all others are left out."""
    lines, seen = [], set[str]()
    for line in sdp.splitlines(keepends=True):
        if line.startswith("m="):
            seen.clear()
        found = _CANDIDATE.match(line)
        if found is None:
            lines.append(line)
            continue
        transport = found["transport"].lower()
        if transport in seen or not {"udp": udp, "tcp": tcp}[transport]:
            continue
        seen.add(transport)
        lines.append(_CANDIDATE.sub(rf"a=candidate:\g<head>\g<transport>\g<priority>{host} {port} ", line))
    return "".join(lines)


_SCRIPT = """
(() => {
  const {host, port, udp, tcp} = %s;
  const through = (sdp) => {
    let seen = new Set();
    return sdp.split(/(?<=\\n)/).map((line) => {
      if (line.startsWith('m=')) seen = new Set();
      const found = /^a=candidate:(\\S+ \\d+ )(udp|tcp)( \\d+ )\\S+ \\d+ /i.exec(line);
      if (!found) return line;
      const transport = found[2].toLowerCase();
      if (seen.has(transport) || !{udp, tcp}[transport]) return '';
      seen.add(transport);
      const start = `a=candidate:${found[1]}${found[2]}${found[3]}${host} ${port} `;
      return start + line.slice(found[0].length);
    }).join('');
  };
  const original = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (description, ...rest) {
    const led = description?.sdp ? {type: description.type, sdp: through(description.sdp)} : description;
    return original.call(this, led, ...rest);
  };
})();
"""


def init_script(port: int, *, udp: bool = True, tcp: bool = True, host: str = "127.0.0.1") -> str:
    """The same inside a page, for Playwright's `add_init_script`: the page itself is not changed."""
    return _SCRIPT % json.dumps({"host": host, "port": port, "udp": udp, "tcp": tcp})
