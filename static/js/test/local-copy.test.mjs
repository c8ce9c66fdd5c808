import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalCopy, wipe } from '../referral/local-copy.js';

/** As a browser's: keys are its own properties. */
function storage() {
  const made = Object.create({
    getItem(key) { return Object.hasOwn(this, key) ? this[key] : null; },
    setItem(key, value) { this[key] = value; },
    removeItem(key) { delete this[key]; },
  });
  return made;
}
const key = (fill) => async () => ({ key: Buffer.alloc(32, fill).toString('base64url') });
const COPY = { version: 3, editor: 'page', answers: { history: 'marked words', stage: null } };

test('what is kept is read again in the same session and is not to be seen in between', async () => {
  const disk = storage();
  await new LocalCopy('case', key(1), disk).keep(COPY);
  assert.equal(Object.keys(disk).length, 1);
  assert.ok(!JSON.stringify(disk).includes('marked'));
  assert.ok(!Buffer.from(Object.values(disk)[0], 'base64').toString('latin1').includes('marked'));
  assert.deepEqual(await new LocalCopy('case', key(1), disk).found(), COPY);
});

test('another session, another case and a changed byte read nothing, and it goes', async () => {
  for (const [name, fill, spoil] of [['case', 2, false], ['other', 1, false], ['case', 1, true]]) {
    const disk = storage();
    await new LocalCopy('case', key(1), disk).keep(COPY);
    const kept = disk['hyeopjin.copy.case'];
    if (name === 'other') disk['hyeopjin.copy.other'] = kept;
    if (spoil) disk['hyeopjin.copy.case'] = (kept[0] === 'A' ? 'B' : 'A') + kept.slice(1);
    assert.equal(await new LocalCopy(name, key(fill), disk).found(), null);
    assert.equal(disk[`hyeopjin.copy.${name}`], undefined);
  }
});

test('the newest copy is the one that stays, and none once the server has it all', async () => {
  const disk = storage();
  const copy = new LocalCopy('case', key(1), disk);
  void copy.keep({ ...COPY, version: 1 });
  await copy.keep({ ...COPY, version: 2 });
  assert.equal((await copy.found()).version, 2);
  await copy.keep(null);
  assert.equal(await copy.found(), null);
  assert.deepEqual(Object.keys(disk), []);
});

test('without a key nothing is kept unsealed', async () => {
  const disk = storage();
  await new LocalCopy('case', async () => { throw new Error('no line'); }, disk).keep(COPY);
  assert.deepEqual(Object.keys(disk), []);
});

test('signing out wipes every copy and nothing else', async () => {
  const disk = storage();
  disk.setItem('hyeopjin.language.account', 'ko');
  await new LocalCopy('case', key(1), disk).keep(COPY);
  wipe(disk);
  assert.deepEqual(Object.keys(disk), ['hyeopjin.language.account']);
});
