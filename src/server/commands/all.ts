/** Every command of the server, family by family. */
import type { Command } from '../command.ts';
import { stringBasicCommands } from './string-basic.ts';

export const ALL_COMMANDS: readonly Command[] = [...stringBasicCommands];
