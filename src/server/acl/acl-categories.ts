/**
 * The categories of commands that ACL rules name, such as @write: most follow from a command's
 * flags, the rest stand in its specification.
 */
import {
  ADMIN,
  BLOCKING,
  type Command,
  FAST,
  PUBSUB,
  READONLY,
  WRITE,
} from '../dispatch/command.ts';

/** All categories, in the order in which they are shown. */
export const CATEGORIES = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
] as const;

/** Whether a command belongs to a category. */
export function isInCategory(command: Command, category: string): boolean {
  if (command.acl?.includes(category) === true) return true;
  switch (category) {
    case 'write':
      return (command.flags & WRITE) !== 0;
    case 'read':
      return (command.flags & READONLY) !== 0 && command.acl?.includes('scripting') !== true;
    case 'admin':
    case 'dangerous':
      return (command.flags & ADMIN) !== 0;
    case 'pubsub':
      return (command.flags & PUBSUB) !== 0;
    case 'fast':
      return (command.flags & FAST) !== 0;
    case 'slow':
      return (command.flags & FAST) === 0;
    case 'blocking':
      return (command.flags & BLOCKING) !== 0;
    default:
      return false;
  }
}

/** The categories of a command, in the order in which they are shown. */
export function categoriesOf(command: Command): string[] {
  return CATEGORIES.filter((category) => isInCategory(command, category));
}
