/** rootcellar as it opens by default: a log in OPFS, relaxed. */
import { open } from 'rootcellar';
import type { Contender } from './contender.js';

let last = 0;

export const rootcellar: Contender = {
  name: 'rootcellar',
  durability: 'killed browser; power cut after a second',
  async open() {
    last += 1;
    return open(`bench ${last}`);
  },
};
