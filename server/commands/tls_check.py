"""What `hyeopjin doctor` reads in the certificate that the server serves: its names, its end, its issuer.

It must not open the key. Behind a proxy there is none here, and the proxy's is not looked at.
"""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from cryptography import x509

from server.config import Settings

State = Literal["green", "yellow", "grey", "red"]
WARN_DAYS = 14


def check(settings: Settings) -> tuple[State, str, str]:
    """State, code and a sentence for the operator."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None or key is None:
        return "grey", "not_configured", "a proxy serves TLS, or nobody does"
    if not (certificate.is_file() and key.is_file()):
        return "red", "file_missing", f"{certificate}, {key}"
    if key.stat().st_mode & 0o007:
        return "red", "readable_by_others", f"chmod 640 {key}"
    return _read(certificate, urlsplit(settings.public_url).hostname or "")


def _read(path: Path, host: str) -> tuple[State, str, str]:
    try:
        leaf = x509.load_pem_x509_certificates(path.read_bytes())[0]
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, IndexError, OSError, x509.ExtensionNotFound):
        return "red", "not_readable", f"{path} holds no certificate with names"
    days = (leaf.not_valid_after_utc - datetime.datetime.now(datetime.UTC)).days
    if days < 0:
        return "red", "ended", f"the certificate ended {-days} days ago: no browser opens the pages"
    if not _named(host, names):
        return "red", "wrong_name", f"the certificate is not for {host}: no browser opens the pages"
    if leaf.issuer == leaf.subject:
        return "yellow", "self_signed", "browsers warn, and some phones and tablets open no socket to it"
    if days < WARN_DAYS:
        return "yellow", "ends_soon", f"the certificate ends in {days} days"
    return "green", "ok", f"{days} days left"


def _named(host: str, names: x509.SubjectAlternativeName) -> bool:
    try:
        return ipaddress.ip_address(host) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        known = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
        return host.lower() in known or "*." + host.lower().partition(".")[2] in known
