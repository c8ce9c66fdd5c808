import test from 'node:test';
import assert from 'node:assert/strict';
import { Idle } from '../idle.js';

function rig(afterMs = 900_000) {
  const seen = [];
  const rig = { now: 1_000_000, busy: false, seen };
  rig.idle = new Idle({ afterMs, now: () => rig.now, report: () => seen.push(`report ${rig.now}`), cover: () => seen.push(`cover ${rig.now}`), busy: () => rig.busy });
  rig.later = (ms) => {
    rig.now += ms;
    rig.idle.look();
  };
  return rig;
}

test('a page that nobody touches is covered once, and tells nothing', () => {
  const one = rig();
  one.later(899_999);
  assert.deepEqual(one.seen, []);
  one.later(1);
  one.later(900_000);
  assert.deepEqual(one.seen, ['cover 1900000']);
});

test('touching tells the server at once, then at most once a minute, and the last touch is told too', () => {
  const one = rig();
  for (let second = 0; second < 130; second += 1) {
    if (second < 90) one.idle.touched();
    one.later(1_000);
  }
  assert.deepEqual(one.seen, ['report 1002000', 'report 1062000', 'report 1122000']);
  one.later(600_000);
  assert.equal(one.seen.length, 3);
});

test('a short time is told of in time', () => {
  const one = rig(8_000);
  one.later(1_500);
  one.idle.touched();
  one.later(600);
  one.later(100);
  one.idle.touched();
  one.later(1_800);
  one.later(100);
  assert.deepEqual(one.seen, ['report 1002100', 'report 1004100']);
});

test('what plays is watched', () => {
  const one = rig();
  one.busy = true;
  for (let minute = 0; minute < 40; minute += 1) one.later(60_000);
  assert.equal(one.seen.some((what) => what.startsWith('cover')), false);
  one.busy = false;
  one.later(900_000);
  assert.match(one.seen.at(-1), /^cover/);
});

test('another window that is used keeps this one open, but uncovers nothing by itself', () => {
  const one = rig();
  one.later(800_000);
  one.idle.heard(one.now);
  one.later(800_000);
  assert.deepEqual(one.seen, []);
  one.later(100_000);
  one.idle.heard(one.now);
  one.idle.look();
  assert.equal(one.idle.covered, true);
  one.idle.uncovered();
  one.later(899_999);
  assert.equal(one.idle.covered, false);
});
