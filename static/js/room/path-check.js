/**
 * How this browser gets to the media port, found out by trying: over UDP, over TCP, through the relay over TLS.
 * The server's offers for it lead to no media. It must not touch the page nor know why somebody asks.
 *
 * @typedef {import('../types/wire.js').IceServer} IceServer
 * @typedef {import('../types/wire.js').ProbeAnswer} ProbeAnswer
 * @typedef {'udp' | 'tcp' | 'relay'} Way
 * @typedef {'idle' | 'checking' | 'udp' | 'tcp' | 'relay' | 'none' | 'unknown'} Path
 * @typedef {{udp: string[], tcp: string[], relay: string[]}} Places host:port of what each way needs
 * @typedef {{path: Path, ways: Partial<Record<Way, boolean>>, places: Places, loopback: boolean, clock_ms: number, fault: string | null}} Found
 */

/** A relay over a line of 300 ms takes some eight round trips; a firewall that drops says nothing at all. */
const GIVE_UP_MS = 8000;
/** Beyond this, times on the page mislead, and it is said. */
export const CLOCK_OFF_MS = 120_000;
const CANDIDATE = /^a=candidate:\S+ \d+ (udp|tcp) \d+ (\S+) (\d+) /i;

/** @returns {Found} */
export const nothingYet = () => ({
  path: 'idle', ways: {}, places: { udp: [], tcp: [], relay: [] }, loopback: false, clock_ms: 0, fault: null,
});

/**
 * @param {string} sdp
 * @param {'udp' | 'tcp'} transport
 * @returns {string} the offer without candidates of the other one
 */
export function only(sdp, transport) {
  return sdp.split('\n').filter((line) => (CANDIDATE.exec(line)?.[1] ?? transport).toLowerCase() === transport).join('\n');
}

/** @param {string} address */
export const isLoopback = (address) => address === '::1' || address.startsWith('127.');

/**
 * What a firewall has to let out, as IT departments write it; ports of one address together.
 * @param {string[]} sdps
 * @param {'udp' | 'tcp'} transport
 * @returns {{places: string[], loopback: boolean}} loopback: nothing else is announced
 */
export function placesOf(sdps, transport) {
  /** @type {Map<string, Set<number>>} */
  const ports = new Map();
  for (const line of sdps.flatMap((sdp) => sdp.split(/\r?\n/))) {
    const found = CANDIDATE.exec(line);
    if (!found || found[1]?.toLowerCase() !== transport) continue;
    const address = /** @type {string} */ (found[2]);
    ports.set(address, (ports.get(address) ?? new Set()).add(Number(found[3])));
  }
  const outside = [...ports].filter(([address]) => !isLoopback(address));
  const places = (outside.length ? outside : [...ports]).map(([address, own]) => {
    const host = address.includes(':') ? `[${address}]` : address;
    return `${host}:${[...own].sort((a, b) => a - b).join(',')}`;
  });
  return { places, loopback: outside.length === 0 && ports.size > 0 };
}

/** @param {IceServer[]} servers @returns {string[]} host:port of each relay */
export function relayPlaces(servers) {
  return [...new Set(servers.flatMap(({ urls }) => urls).map((url) => {
    const [, scheme, where] = /^(turns?):([^?]*)/.exec(url) ?? [];
    return /:\d+$/.test(where ?? '') ? `${where}` : `${where}:${scheme === 'turns' ? 5349 : 3478}`;
  }))];
}

/**
 * @param {Partial<Record<Way, boolean>>} ways
 * @returns {Path} the way a browser will take; `checking` while a better one may still be found
 */
export function pathOf(ways) {
  for (const way of /** @type {const} */ (['udp', 'tcp', 'relay'])) {
    if (ways[way]) return way;
    if (ways[way] === undefined) return 'checking';
  }
  return 'none';
}

/** Asks, tries, keeps the result. Events: `change`. */
export class PathCheck extends EventTarget {
  /** @param {{probe: () => Promise<ProbeAnswer>, probed: (result: any) => Promise<{relay_fault: string | null}>}} visit */
  constructor(visit) {
    super();
    this.visit = visit;
    this.found = nothingYet();
    this.running = false;
  }

  /** @param {Partial<Found>} change */
  note(change) {
    this.found = { ...this.found, ...change };
    this.dispatchEvent(new Event('change'));
  }

  async start() {
    if (this.running) return;
    this.running = true;
    this.found = nothingYet();
    this.note({ path: 'checking' });
    try {
      await this.check();
    } catch {
      this.note({ path: 'unknown' }); // no answer, too often, no such browser: nothing is known of the line
    } finally {
      this.running = false;
      this.note({});
    }
  }

  async check() {
    const asked = Date.now();
    const { sdps, ice_servers: servers, now_ms: serverNow } = await this.visit.probe();
    const clock_ms = Math.round((asked + Date.now()) / 2 - serverNow);
    const udp = placesOf(sdps, 'udp');
    const tcp = placesOf(sdps, 'tcp');
    const loopback = udp.loopback && !isLoopback(location.hostname) && location.hostname !== 'localhost';
    this.note({ clock_ms, loopback, places: { udp: udp.places, tcp: tcp.places, relay: relayPlaces(servers) } });
    await Promise.all([
      this.tries('udp', sdps.map((sdp) => reaches(only(sdp, 'udp'), { iceServers: [] }))),
      this.tries('tcp', sdps.map((sdp) => reaches(only(sdp, 'tcp'), { iceServers: [] }))),
      this.tries('relay', servers.length === 0 ? [] : [
        reaches(only(sdps[0] ?? '', 'udp'), { iceServers: servers, iceTransportPolicy: 'relay' }),
      ]),
    ]);
    const { ways } = this.found;
    const { relay_fault: fault } = await this.visit.probed({
      path: pathOf(ways), udp: ways.udp, tcp: ways.tcp, relay: servers.length === 0 ? null : ways.relay, clock_ms,
    });
    this.note({ fault });
  }

  /**
   * A way is open when every worker's port can be reached by it.
   * @param {Way} way
   * @param {Promise<boolean>[]} attempts none = there is no such way
   */
  async tries(way, attempts) {
    const open = attempts.length > 0 && (await Promise.all(attempts)).every(Boolean);
    const ways = { ...this.found.ways, [way]: open };
    this.note({ ways, path: pathOf(ways) });
  }
}

/**
 * @param {string} sdp an offer for a probe
 * @param {RTCConfiguration} configuration
 * @returns {Promise<boolean>} whether ICE connects; nothing is sent over it
 */
async function reaches(sdp, configuration) {
  const pc = new RTCPeerConnection({ ...configuration, bundlePolicy: 'max-bundle' });
  /** @type {number | undefined} */
  let timer;
  try {
    const connected = new Promise((resolve) => {
      timer = setTimeout(() => resolve(false), GIVE_UP_MS);
      pc.addEventListener('iceconnectionstatechange', () => {
        if (['connected', 'completed'].includes(pc.iceConnectionState)) resolve(true);
        if (pc.iceConnectionState === 'failed') resolve(false);
      });
    });
    await pc.setRemoteDescription({ type: 'offer', sdp });
    await pc.setLocalDescription(await pc.createAnswer());
    return await /** @type {Promise<boolean>} */ (connected);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    pc.close();
  }
}
