/** The options of XREAD and XREADGROUP. */
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { readTimeoutMs } from './blocking-timeout.ts';

/** The options of the call that runs. */
class ReadOptions {
  isGroup = false;
  /** Milliseconds to wait, -1 not to wait. */
  waitMs = -1;
  /** Entries of each stream, 0 for all. */
  count = 0;
  noAck = false;
  /** Argument of the group's name, 0 for none; the consumer's follows. */
  groupAt = 0;
  /** Argument of the first key. */
  keysAt = 0;
  /** Number of keys. */
  keys = 0;

  reset(isGroup: boolean): void {
    this.isGroup = isGroup;
    this.waitMs = -1;
    this.count = 0;
    this.noAck = false;
    this.groupAt = 0;
    this.keysAt = 0;
    this.keys = 0;
  }
}

/** The options that `readOptions` read last. */
export const options = new ReadOptions();

/** Reads the options; false when there was an error, which has been answered. */
export function readOptions(c: Context, isGroup: boolean): boolean {
  const to = options;
  to.reset(isGroup);
  for (let i = 1; i < c.argc && to.keysAt === 0; i++) {
    const more = c.argc - i - 1;
    if (more > 0 && c.is(i, 'block')) {
      to.waitMs = readTimeoutMs(c, ++i);
      if (Number.isNaN(to.waitMs)) return false;
    } else if (more > 0 && c.is(i, 'count')) {
      to.count = c.integer(++i);
      if (Number.isNaN(to.count)) return false;
      to.count = Math.max(to.count, 0);
    } else if (more > 0 && c.is(i, 'streams')) {
      to.keysAt = i + 1;
      to.keys = (c.argc - to.keysAt) / 2;
      if (!Number.isInteger(to.keys)) {
        const [name, mark] = isGroup ? ['xreadgroup', '>'] : ['xread', '$'];
        const text = `Unbalanced '${name}' list of streams: for each stream key an ID or`;
        return c.refuse(`ERR ${text} '${mark}' must be specified.`);
      }
    } else if (more > 1 && c.is(i, 'group')) {
      if (!isGroup) return c.refuse(onlyGroups('GROUP'));
      to.groupAt = i + 1;
      i += 2;
    } else if (c.is(i, 'noack')) {
      if (!isGroup) return c.refuse(onlyGroups('NOACK'));
      to.noAck = true;
    } else return c.refuse(SYNTAX_ERROR);
  }
  if (to.keysAt === 0) return c.refuse(SYNTAX_ERROR);
  if (isGroup && to.groupAt === 0) return c.refuse('ERR Missing GROUP option for XREADGROUP');
  return true;
}

function onlyGroups(option: string): string {
  const text = `The ${option} option is only supported by XREADGROUP.`;
  return `ERR ${text} You called XREAD instead.`;
}
