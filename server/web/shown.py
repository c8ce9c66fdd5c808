"""What routes show of a patient where no use case writes the entry: the guard writes this one.

Once in a while for the same person and subject, and before anything is sent. `tests/integration/
test_reads_audited.py` has the table of all routes that read, these among them.
"""

from __future__ import annotations

from typing import Final

_GLOSSARY: Final = ("GET {}", "POST {}/search", "GET {}/history", "GET {}/{{term}}/history")
#: "GET /api/…" → the audit's action.
SHOWS: Final[dict[str, str]] = {
    **{
        way.format(f"{base}/glossary"): "glossary_read"
        for base in ("/api/cases/{case}", "/api/seats/{seat}")
        for way in _GLOSSARY
    },
    "GET /api/cases/{case}/match": "match_read",
    "GET /api/cases/{case}/consents/{consent}/text": "consents_read",
    "GET /api/cases/{case}/retention": "patients_listed",
    "GET /api/seats/{seat}": "patients_listed",
    "GET /api/seats/{seat}/chat": "chat_read",
    "GET /api/recordings/{recording}/conduct": "recording_opened",
    "GET /api/recordings/{recording}/interpretation": "recording_opened",
    "GET /api/flags/{flag}/tracks/{track}": "rendering_heard",
}
