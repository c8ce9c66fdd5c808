import assert from 'node:assert/strict';
import { test } from 'node:test';
import { only, pathOf, placesOf, relayPlaces } from '../room/path-check.js';

const offer = (port, ...hosts) => `${['v=0', ...hosts.flatMap((host, i) => [
  `a=candidate:u${i} 1 udp 1 ${host} ${port} typ host`,
  `a=candidate:t${i} 1 tcp 1 ${host} ${port} typ host tcptype passive`,
]), 'a=end-of-candidates'].join('\r\n')}\r\n`;

test('an offer for one way keeps everything but the candidates of the other', () => {
  const udp = only(offer(47800, '203.0.113.10'), 'udp');
  assert.equal(udp, 'v=0\r\na=candidate:u0 1 udp 1 203.0.113.10 47800 typ host\r\na=end-of-candidates\r\n');
  assert.match(only(offer(47800, '203.0.113.10'), 'tcp'), /tcptype passive/);
});

test('the ports of all workers stand together, each address once, loopback only when there is nothing else', () => {
  const sdps = [offer(47801, '203.0.113.10', '2001:db8::1', '127.0.0.1'), offer(47800, '203.0.113.10', '2001:db8::1', '127.0.0.1')];
  assert.deepEqual(placesOf(sdps, 'udp'), { places: ['203.0.113.10:47800,47801', '[2001:db8::1]:47800,47801'], loopback: false });
  assert.deepEqual(placesOf([offer(47800, '127.0.0.1', '::1')], 'tcp'), { places: ['127.0.0.1:47800', '[::1]:47800'], loopback: true });
  assert.deepEqual(placesOf(['v=0\r\n'], 'udp'), { places: [], loopback: false });
});

test('a relay is named with its port, also where its address leaves it out', () => {
  const servers = [{ urls: ['turns:turn.example.org:443?transport=tcp', 'turns:turn.example.org', 'turn:[2001:db8::2]'], username: '', credential: '' }];
  assert.deepEqual(relayPlaces(servers), ['turn.example.org:443', 'turn.example.org:5349', '[2001:db8::2]:3478']);
});

test('a worse way is told only when the better ones are known to be shut', () => {
  assert.equal(pathOf({}), 'checking');
  assert.equal(pathOf({ tcp: true, relay: true }), 'checking');
  assert.equal(pathOf({ udp: true }), 'udp');
  assert.equal(pathOf({ udp: false, relay: true }), 'checking');
  assert.equal(pathOf({ udp: false, tcp: true }), 'tcp');
  assert.equal(pathOf({ udp: false, tcp: false, relay: true }), 'relay');
  assert.equal(pathOf({ udp: false, tcp: false, relay: false }), 'none');
});
