"""A DTLS-SRTP client over memory BIOs: datagrams in, datagrams out, two SRTP sessions at the end (RFC 5764).

No sockets, no tasks, no timers of its own: the caller delivers datagrams, calls `tick` during the handshake,
and sends what `send` is given. It checks the other side's fingerprint and fails closed.
"""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL
from pylibsrtp import Policy, Session

PROFILES = {
    b"SRTP_AEAD_AES_256_GCM": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 32, 12),
    b"SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}
MAX_DATAGRAM = 1500


class DtlsError(Exception):
    """The handshake failed or the certificate is not the announced one."""


class Identity:
    """A self-signed P-256 certificate; one may be shared by all peers of a generator."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, secrets.token_hex(8))])
        now = datetime.datetime.now(tz=datetime.UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .sign(self.key, hashes.SHA256())
        )
        self.fingerprint = digest(self.certificate)


def digest(certificate: x509.Certificate) -> str:
    """The sha-256 fingerprint as SDP writes it (RFC 8122)."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


class DtlsClient:
    """One handshake in the client role; `rx` and `tx` are SRTP sessions once `done`."""

    def __init__(self, identity: Identity, fingerprint: str, send: Callable[[bytes], None]) -> None:
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        context.use_certificate(identity.certificate)
        context.use_privatekey(identity.key)
        context.set_tlsext_use_srtp(b":".join(PROFILES))
        self._ssl = SSL.Connection(context, None)
        self._ssl.set_connect_state()
        self._fingerprint = fingerprint
        self._send = send
        self.done = False
        self.closed = False
        self.profile = b""
        self.rx: Session | None = None
        self.tx: Session | None = None

    def start(self) -> None:
        """Sends the first flight."""
        self._advance()

    def datagram(self, data: bytes) -> None:
        """One received DTLS datagram; raises DtlsError when the handshake fails."""
        self._ssl.bio_write(data)
        if not self.done:
            self._advance()
            return
        try:
            self._ssl.recv(MAX_DATAGRAM)
        except SSL.ZeroReturnError:
            self.closed = True
        except SSL.Error:
            pass  # a retransmitted flight or an alert: nothing a load generator acts on
        self._flush()

    def tick(self) -> None:
        """Retransmits a flight when OpenSSL says it is due; call every 50 ms until `done`."""
        if not self.done and self._ssl.DTLSv1_get_timeout() == 0:
            self._ssl.DTLSv1_handle_timeout()
            self._flush()

    def close(self) -> None:
        """Sends close_notify if there is anybody to send it to."""
        try:
            self._ssl.shutdown()
        except SSL.Error:
            return
        self._flush()

    def _advance(self) -> None:
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return
        except SSL.Error as error:
            raise DtlsError("handshake failed") from error
        self._flush()
        certificate = self._ssl.get_peer_certificate(as_cryptography=True)
        if certificate is None or digest(certificate) != self._fingerprint:
            raise DtlsError("certificate is not the announced one")
        self._keys()
        self.done = True

    def _keys(self) -> None:
        self.profile = self._ssl.get_selected_srtp_profile()
        if self.profile not in PROFILES:
            raise DtlsError("no SRTP profile agreed")
        profile, key, salt = PROFILES[self.profile]
        material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        client = material[:key] + material[2 * key : 2 * key + salt]
        server = material[key : 2 * key] + material[2 * key + salt :]
        self.tx = self._session(client, profile, Policy.SSRC_ANY_OUTBOUND)
        self.rx = self._session(server, profile, Policy.SSRC_ANY_INBOUND)

    @staticmethod
    def _session(key: bytes, profile: int, direction: int) -> Session:
        policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile)
        policy.window_size = 8192
        policy.allow_repeat_tx = True
        return Session(policy)

    def _flush(self) -> None:
        try:
            data = self._ssl.bio_read(MAX_DATAGRAM)
        except SSL.Error:
            return
        if data:
            self._send(data)
