"""Debian's turnserver with the very file that operators copy: only addresses, files and secret are others.

It ends only the process that it started, by its pid.
"""

from __future__ import annotations

import datetime
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.borders import TURN, Borders
from tests.support.demo import until

CONF = Path(__file__).parents[2] / "deploy" / "coturn" / "turnserver.conf"
SECRET = "a-secret-of-this-test-alone-0123456789"
NAME = "turn.example.org"


def configuration(folder: Path, replaced: Mapping[str, str], without: str = "") -> Path:
    """The deployed file with some values replaced; a key that it does not have is an error.

    `without`: a key whose lines are left out, to see that a test can fail.
    """
    text = CONF.read_text()
    if without:
        text = re.sub(rf"^{without}=.*$", "", text, flags=re.MULTILINE)
    for key, value in replaced.items():
        text, count = re.subn(rf"^(?:# )?{key}=.*$", f"{key}={value}", text, flags=re.MULTILINE)
        assert count == 1, (key, count)
    made = folder / "turnserver.conf"
    made.write_text(text)
    return made


def certificate(folder: Path, *names: x509.GeneralName, days: int = 30) -> tuple[Path, Path, Path]:
    """(authority, chain, key): a leaf for the relay signed by an authority of this test."""
    now = datetime.datetime.now(datetime.UTC)

    def build(
        subject: str, issuer: str, key: ec.EllipticCurvePublicKey, *, ca: bool
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=60))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )

    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = build("Test authority", "Test authority", root_key.public_key(), ca=True).sign(
        root_key, hashes.SHA256()
    )
    leaf = (
        build(NAME, "Test authority", leaf_key.public_key(), ca=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME), *names]), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    authority, chain, key = folder / "authority.pem", folder / "chain.pem", folder / "key.pem"
    pem = serialization.Encoding.PEM
    authority.write_bytes(root.public_bytes(pem))
    chain.write_bytes(leaf.public_bytes(pem) + root.public_bytes(pem))
    key.write_bytes(
        leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return authority, chain, key


@contextmanager
def turnserver(
    folder: Path, chain: Path, key: Path, net: Borders, without: str = "", **replaced: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A running relay in its namespace. `replaced`: keys of the file with `_` for `-`."""
    values = {name.replace("_", "-"): value for name, value in replaced.items()}
    values |= {"cert": str(chain), "pkey": str(key), "static-auth-secret": SECRET}
    values["pidfile"] = str(folder / "turnserver.pid")
    words = ["turnserver", "-c", str(configuration(folder, values, without)), "--log-file", "stdout"]
    words += ["--userdb", str(folder / "none.sqlite")]
    log = folder / "turnserver.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*net.prefix(net.relay), *words],
            stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
    try:
        until("coturn listens", lambda: net.inside(net.relay, lambda: _listens(process)), 10)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _listens(process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "coturn ended: see turnserver.log"
    try:
        socket.create_connection((TURN, 443), 1).close()
    except OSError:
        return False
    return True
