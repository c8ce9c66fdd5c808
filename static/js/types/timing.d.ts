export { TimingObject } from 'timing-object';
export { setTimingsrc, createSetTimingsrc } from 'timingsrc';
