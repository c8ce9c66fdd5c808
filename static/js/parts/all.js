/** Every part of the room page, in the order in which they are shown. Add a part here, and nowhere else. */
import { arrivalsPart } from './arrivals.js';
import { askedPart } from './asked.js';
import { chatPart } from './chat.js';
import { chimePart } from './chime.js';
import { conductPart } from './conduct.js';
import { Deaf } from './deaf.js';
import { glossaryPart } from './glossary.js';
import { Interpreting } from './interpreting.js';
import { Parts } from './parts.js';
import { pluggedPart } from './plugged.js';
import { prebriefPart } from './prebrief.js';

/** @param {import('./beside.js').Beside} beside */
export function allParts(beside) {
  return new Parts([
    new Interpreting(beside),
    chatPart(beside),
    conductPart(beside),
    glossaryPart(beside),
    pluggedPart(beside, beside.devices),
    arrivalsPart(beside),
    askedPart(),
    chimePart(beside, beside.devices),
    prebriefPart(beside),
    new Deaf(beside),
  ]);
}
