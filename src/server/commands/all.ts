/** Every command of the server, family by family. */
import type { Command } from '../command.ts';
import { bitfieldCommands } from './bitfield.ts';
import { bitmapCommands } from './bitmap.ts';
import { stringBasicCommands } from './string-basic.ts';
import { stringCounterCommands } from './string-counter.ts';
import { stringGetCommands } from './string-get.ts';
import { stringLcsCommands } from './string-lcs.ts';
import { stringRangeCommands } from './string-range.ts';
import { stringSetCommands } from './string-set.ts';

export const ALL_COMMANDS: readonly Command[] = [
  ...stringBasicCommands,
  ...stringCounterCommands,
  ...stringGetCommands,
  ...stringLcsCommands,
  ...stringRangeCommands,
  ...stringSetCommands,
  ...bitfieldCommands,
  ...bitmapCommands,
];
