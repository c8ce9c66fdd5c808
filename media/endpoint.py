"""The relay's end of one connection: takes its packets apart by SSRC, reports to its sender, obeys its
receiver.

It knows no SDP, address or key, and nothing it is given makes it raise. No object is made per packet.
"""

from __future__ import annotations

import secrets
from struct import Struct
from typing import TYPE_CHECKING

from media.codecs import EXT_MID, EXT_REPAIRED_RID, EXT_RID, RTX_PT, VP8_PT
from media.ports import SessionPort, Uplink
from media.publication import Publication
from media.round_trip import RoundTrip, least
from media.rtp import rtcp, rtx
from media.rtp.keyframes import vp8_key_frame
from media.rtp.nack import ECHO_NS
from media.rtp.packets import find_text_extension, read_header, scan
from media.rtp.red import plain
from media.rtp.twcc import TransportFeedback
from media.subscription import Subscription
from media.tracks import SourceStream

if TYPE_CHECKING:
    from media.relay import Relay

_HEADER = Struct("!xBHII")
_Route = tuple[Publication, SourceStream, bool]
MAX_UNKNOWN = 64


class Endpoint:
    """A PacketSink. Made by `Relay.attach`; after `detach` it drops whatever still arrives."""

    def __init__(self, relay: Relay, session: SessionPort) -> None:
        self.peer = session.peer
        self.session = session
        self.local_ssrc = secrets.randbelow(0xFFFFFFFE) + 1
        self.publications: dict[str, Publication] = {}
        self.subscriptions: dict[tuple[str, str], Subscription] = {}
        self.connected = False
        self.recorded = False
        self.remb_bps = 0
        self.round_trip_now_ns = self.round_trip_told_ns = 0
        """By the newest report that tells it, and when that came; 0 while none did."""
        self.twcc = TransportFeedback()
        self._round_trip = RoundTrip()
        self._relay = relay
        self._counters = relay.counters
        self._routes: dict[int, _Route] = {}
        self._deliveries: dict[int, Subscription] = {}
        self._unknown_ssrcs: set[int] = set()
        self._detached = False

    # -- PacketSink
    # -------------------------------------------------------------------------------------------

    def on_rtp(self, packet: bytes, at_ns: int) -> None:
        """One RTP packet of the publisher: demultiplexed, counted, forwarded, recorded."""
        marker, sequence, timestamp, ssrc = _HEADER.unpack_from(packet)
        clean, transport, payload = scan(packet, at_ns if marker & 0x7E == VP8_PT else 0)
        self.on_clean(clean, at_ns, marker, sequence, timestamp, ssrc, transport, payload, packet)

    def on_clean(
        self,
        clean: bytes,
        at_ns: int,
        marker: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        transport: int,
        payload: int,
        packet: bytes | None = None,
    ) -> None:
        """The same, scanned already. `packet` is what it was, if the scan has taken names from it."""
        counters = self._counters
        counters.packets_in += 1
        if transport >= 0:
            twcc = self.twcc
            twcc.arrived(transport, at_ns)
            if at_ns >= twcc.due_ns:
                self.send_feedback(at_ns, ssrc)
        route = self._routes.get(ssrc)
        if route is None:
            route = self._demultiplex(clean if packet is None else packet, ssrc)
            if route is None:
                return
        publication, stream, retransmission = route
        if retransmission:
            number, clean = self._take_again(stream, clean, payload, at_ns)
            if number < 0:
                return
        else:
            if marker & 0x7F != stream.pt:
                if marker & 0x7F == stream.red_pt:
                    self._take_redundant(publication, stream, clean, at_ns)
                return
            number = stream.take(sequence, timestamp, at_ns)
            if number < 0:
                counters.packets_dropped += 1
                return
            if stream.missing.next_due_ns < self._relay.wake_ns:
                self._relay.wake_at(stream.missing.next_due_ns)
        publication.last_packet_ns = at_ns
        stream.cache.put(number, clean)
        if stream.idle:
            publication.decide(at_ns)
        key = False
        if stream.video and payload < len(clean) and clean[payload] & 0x10:
            key = vp8_key_frame(clean, payload, len(clean))
            if key:
                stream.key_wanted = False
        listeners = stream.listeners
        if listeners:
            counters.packets_forwarded += len(listeners)
            fan = stream.fan or stream.new_fan(number)
            fan.deliver(stream, clean, number, timestamp, key, at_ns)
        if self.recorded and number > stream.recorded_from:
            recorder = self._relay.recorder
            if recorder is not None:
                counters.packets_recorded += 1
                recorder.rtp(self.peer, publication.kind, stream.rid, clean, at_ns, key)

    def _take_again(self, stream: SourceStream, clean: bytes, payload: int, at_ns: int) -> tuple[int, bytes]:
        """Number and original of a retransmission; below 0 when it is not wanted."""
        original = rtx.original_sequence(clean, payload)
        number = stream.take_recovered(original, at_ns) if original >= 0 else -1
        if number < 0:
            return number, clean
        self._counters.packets_recovered += 1
        return number, rtx.unwrap(clean, payload, stream.pt, stream.ssrc)

    def on_rtcp(self, packet: bytes, at_ns: int) -> None:
        """One compound: sender reports of the publisher; reports, NACKs and requests of the subscriber."""
        self._counters.rtcp_in += 1
        for part in rtcp.split(packet):
            if part.type in (rtcp.SR, rtcp.RR):
                self._take_reports(part, at_ns)
            elif part.type == rtcp.RTPFB and part.format == rtcp.NACK_FORMAT:
                self._take_nack(part, at_ns)
            elif part.type == rtcp.PSFB:
                for ssrc in rtcp.parse_keyframe_requests(part):
                    subscription = self._deliveries.get(ssrc)
                    if subscription is not None:
                        subscription.ask_keyframe()
                remb = rtcp.parse_remb(part)
                if remb is not None:
                    self.remb_bps = remb.bitrate

    def on_negotiated(self) -> None:
        """The session's uplink or deliveries changed."""
        if self._detached:
            return
        self._update_publications()
        self._relay.relink()

    def on_state(self, state: str) -> None:
        """Told by the session; deliveries flow only while connected."""
        if self._detached:
            return
        self.connected = state == "connected"
        self._relay.state_changed(self, state)

    @property
    def round_trip_ns(self) -> int:
        """The least round trip of this connection so far; 0 while none was measured."""
        return least(self._round_trip.least_ns, self.session.round_trip_ns)

    # -- the relay's side
    # -------------------------------------------------------------------------------------

    def record(self, recorded: bool) -> None:
        """From now on or no more. What was sent before and is recovered later is not recorded either."""
        if recorded and not self.recorded:
            for publication in self.publications.values():
                for stream in publication.streams.values():
                    stream.recorded_from = stream.sequence.highest
        self.recorded = recorded

    def detach(self) -> None:
        """No packet in or out any more."""
        self._detached = True
        self.connected = False
        self.recorded = False
        self._routes.clear()
        self._deliveries.clear()
        self.subscriptions.clear()
        self.publications.clear()

    def update_subscriptions(self) -> None:
        """Makes a Subscription for every delivery that may be sent to, and forgets the others."""
        active = {}
        known: dict[int, Subscription] = {}
        for key, delivery in self.session.deliveries.items():
            # Kept while its SSRC lives, through every pause: numbers that jumped would break SRTP's index.
            subscription = self._deliveries.get(delivery.ssrc)
            if subscription is None:
                subscription = self._relay.subscribe(self.session, delivery)
            subscription.accept(delivery)
            known[delivery.ssrc] = subscription
            if not self._relay.lets(self.peer, key):
                subscription.shut()
            elif delivery.ready and self.connected:
                active[key] = subscription
        self._deliveries = known
        self.subscriptions = active

    def unheard(self, returned: bool) -> None:
        """Its way is broken, or (`returned`) was until now: what was sent meanwhile is not sent again.
        So old, it would hold up what is new, on the line and in a receiver's clock. Pictures begin anew."""
        for subscription in self._deliveries.values():
            subscription.forget_sent()
            if returned:
                subscription.ask_keyframe()
        for publication in self.publications.values():
            for stream in publication.streams.values():
                stream.broken = not returned

    def send_feedback(self, now_ns: int, media_ssrc: int = 0) -> None:
        """Transport-wide feedback for what has arrived since the last."""
        for packet in self.twcc.build(now_ns, self.local_ssrc, media_ssrc):
            self.session.send_rtcp(packet)

    def send_reports(self, now_ns: int) -> None:
        """Receiver reports for every stream of this publisher (call once a second, so that it knows its
        RTT)."""
        if not self.connected:
            return
        rtt_ns = self._round_trip.smooth_ns or self.session.round_trip_ns
        for publication in self.publications.values() if rtt_ns else ():
            publication.pace(rtt_ns)
        blocks = [block for p in self.publications.values() for block in p.report_blocks(now_ns)]
        if blocks:
            report = rtcp.build_receiver_report(self.local_ssrc, blocks)
            self.session.send_rtcp(report + rtcp.build_sdes(self.local_ssrc, "hyeopjin"))

    def _take_redundant(
        self, publication: Publication, stream: SourceStream, packet: bytes, at_ns: int
    ) -> None:
        """A packet of sound with redundancy: first what was lost and it holds, then itself."""
        _, sequence, timestamp, _ = read_header(packet)
        number = stream.take(sequence, timestamp, at_ns)
        if stream.missing:
            for lost, stamp, rebuilt in stream.take_held(packet, at_ns):
                self._counters.packets_rebuilt += 1
                self._pass_on(publication, stream, rebuilt, lost, stamp, at_ns)
        if number < 0:
            self._counters.packets_dropped += 1
            return
        if stream.missing.next_due_ns < self._relay.wake_ns:
            self._relay.wake_at(stream.missing.next_due_ns)
        self._pass_on(publication, stream, packet, number, timestamp, at_ns)

    def _pass_on(
        self,
        publication: Publication,
        stream: SourceStream,
        packet: bytes,
        number: int,
        timestamp: int,
        at_ns: int,
    ) -> None:
        """One packet of such a stream, to each listener as it has negotiated, and to the recorder."""
        publication.last_packet_ns = at_ns
        stream.cache.put(number, packet)
        if stream.idle:
            publication.decide(at_ns)
        listeners = stream.listeners
        self._counters.packets_forwarded += len(listeners)
        bare = packet
        if (stream.stripped or self.recorded) and packet[1] & 0x7F == stream.red_pt:
            bare = plain(packet)
        if listeners and not stream.stripped:
            fan = stream.fan or stream.new_fan(number)
            fan.deliver(stream, packet, number, timestamp, False, at_ns)
        else:
            stream.fan = None  # it would not know of this packet
            for subscription in listeners:
                suited = packet if subscription.red else bare
                subscription.deliver(stream, suited, number, timestamp, False, at_ns)
        if self.recorded and number > stream.recorded_from:
            # Never the redundancy: of the first packet recorded it is what was said before that was allowed.
            self._relay.record(self.peer, publication.kind, stream.rid, bare, at_ns, False)

    def _update_publications(self) -> None:
        routes: dict[int, _Route] = {}
        for kind, uplink in self.session.uplink.items():
            if not uplink.sending:
                self.publications.pop(kind, None)
                continue
            publication = self.publications.get(kind)
            if publication is None:
                publication = self._relay.publish(self, kind)
                self.publications[kind] = publication
            publication.take_red(uplink.red)
            if uplink.rids:
                continue  # layers are found by their RID: which SSRC is which is in no answer
            if uplink.ssrcs:
                publication.keep_streams(set(uplink.ssrcs))
            for ssrc, rtx_ssrc in uplink.ssrcs.items():
                stream = publication.add_stream(ssrc)
                if stream is None:
                    break
                routes[ssrc] = (publication, stream, False)
                if rtx_ssrc is not None:
                    routes[rtx_ssrc] = (publication, stream, True)
        for ssrc, route in self._routes.items():
            # Streams that were found by their MID or RID stay while their publication does.
            publication = route[0]
            if (
                self.publications.get(publication.kind) is publication
                and route[1].ssrc in publication.streams
            ):
                routes.setdefault(ssrc, route)
        self._routes = routes
        self._unknown_ssrcs.clear()

    def _demultiplex(self, packet: bytes, ssrc: int) -> _Route | None:
        """Finds the track of an SSRC that the answer did not list, by the MID (and RID) extension."""
        self._counters.packets_unknown += 1
        if self._detached or ssrc in self._unknown_ssrcs:
            return None
        mid = find_text_extension(packet, EXT_MID)
        if mid is None:
            return None
        uplink = next((uplink for uplink in self.session.uplink.values() if uplink.mid == mid), None)
        publication = None if uplink is None else self.publications.get(uplink.kind)
        if uplink is not None and publication is not None:
            if uplink.rids:
                return self._demultiplex_layer(packet, ssrc, uplink, publication)
            stream = None
            if packet[1] & 0x7F == VP8_PT or not publication.video:
                stream = publication.add_stream(ssrc)
            if stream is not None:
                route = self._routes[ssrc] = (publication, stream, False)
                return route
        if len(self._unknown_ssrcs) < MAX_UNKNOWN:
            self._unknown_ssrcs.add(ssrc)
        return None

    def _demultiplex_layer(
        self, packet: bytes, ssrc: int, uplink: Uplink, publication: Publication
    ) -> _Route | None:
        """The same among layers: by RID, a retransmission by the RID that it repairs (RFC 8852)."""
        again = packet[1] & 0x7F == RTX_PT
        rid = find_text_extension(packet, EXT_REPAIRED_RID if again else EXT_RID)
        if rid not in uplink.rids:
            return None
        stream = publication.of_rid(rid) if again else publication.add_stream(ssrc, rid)
        if stream is None:
            return None
        route = self._routes[ssrc] = (publication, stream, again)
        rtx_ssrc = None if again else uplink.ssrcs.get(ssrc)
        if rtx_ssrc is not None:
            self._routes[rtx_ssrc] = (publication, stream, True)
        return route

    def _take_reports(self, part: rtcp.RtcpPacket, at_ns: int) -> None:
        info = rtcp.parse_sender_info(part)
        if info is not None:
            route = self._routes.get(info.ssrc)
            if route is not None and not route[2]:
                publication, stream, _ = route
                stream.take_report(info, at_ns)
                for subscription in stream.listeners:
                    subscription.sender_report(stream, at_ns)
                if self.recorded:
                    self._relay.record_report(self.peer, publication.kind, info, at_ns)
        for block in rtcp.parse_reports(part):
            subscribed = self._deliveries.get(block.ssrc)
            if subscribed is not None:
                took_ns = subscribed.report(block, at_ns)
                self._round_trip.heard(took_ns)
                if took_ns:
                    self.round_trip_now_ns, self.round_trip_told_ns = took_ns, at_ns

    def _take_nack(self, part: rtcp.RtcpPacket, at_ns: int) -> None:
        ssrc = rtcp.parse_media_ssrc(part)
        subscription = None if ssrc is None else self._deliveries.get(ssrc)
        if subscription is not None:
            before = subscription.resent
            twice = subscription.nack(rtcp.parse_nack(part), at_ns)
            self._counters.packets_resent += subscription.resent - before
            if twice:
                self._relay.later(ECHO_NS, lambda now_ns: self._resend(subscription, twice, now_ns))

    def _resend(self, subscription: Subscription, numbers: list[int], now_ns: int) -> None:
        if self.connected and self._deliveries.get(subscription.delivery.ssrc) is subscription:
            subscription.resend(numbers, now_ns)
