"""The parent's side: starts a child for each document, answers its reads, judges what it says.

It must not look into a document itself, nor believe a child further than its fields go.
"""

from __future__ import annotations

from server.decode.inspection import Inspection
from server.decode.source import Source
from server.domain.errors import Refused


class Decoder:
    """`inspect` and `preview`; at most `at_once` children at a time, the others wait in turn."""

    def __init__(self, *, at_once: int = 1) -> None:
        self._at_once = at_once

    async def inspect(self, source: Source, name: str = "") -> Inspection:
        """What `source` is. A document that is not accepted comes back with its `refusal`.

        `name` never reaches the child: types go by content. Raises Refused("decoder_unavailable") when no
        child can be started here, and whatever `source.read` raises.
        """
        raise NotImplementedError

    async def preview(self, source: Source, page: int, width: int, *, order: str = "") -> bytes:
        """A PNG or JPEG of page `page` (from 0), at most `width` pixels wide, without any metadata.

        `order` as in the Inspection. Raises Refused: `page_unknown`, `no_preview`, or a code that
        `Inspection.refusal` can have.
        """
        raise Refused("no_preview")
