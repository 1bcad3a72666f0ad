/**
 * How long a string may become: `proto-max-bulk-len`, and never more than the largest block.
 *
 * What comes from a file or from a primary was allowed there and is not judged again: there only
 * the largest block is a limit.
 */
import { EXPIRY_IGNORE } from '../../core/keyspace.ts';
import { STRING_BYTES_MAX } from '../../core/types/string.ts';
import { isError } from '../../persistence/file-system.ts';
import type { Context } from '../dispatch/context.ts';
import { OUT_OF_MEMORY } from '../dispatch/errors.ts';

/** From this length on an allocation is tried before it is relied on. */
const TRIED_BYTES_MIN = 1 << 26;
const TOO_LONG = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';

/** The longest string that this command may make, in bytes. */
export function stringBytesMax(c: Context): number {
  if (c.keyspace.expiryMode === EXPIRY_IGNORE) return STRING_BYTES_MAX;
  return Math.min(c.services.config.values.protoMaxBulkLen, STRING_BYTES_MAX);
}

/** Whether a string of `current` bytes may become `length` bytes long; if not, it was answered. */
export function mayGrow(c: Context, current: number, length: number): boolean {
  if (length <= stringBytesMax(c)) return hasMemory(c, current, length);
  c.reply.error(TOO_LONG);
  return false;
}

/**
 * Whether the system has the memory for a string to grow; if not, it was answered. Growth that the
 * system might refuse is tried first, while nothing has changed yet.
 */
export function hasMemory(c: Context, current: number, length: number): boolean {
  if (length <= current || length < TRIED_BYTES_MIN || isAvailable(length)) return true;
  c.reply.error(OUT_OF_MEMORY);
  return false;
}

function isAvailable(bytes: number): boolean {
  try {
    return new ArrayBuffer(bytes).byteLength === bytes;
  } catch (error) {
    if (isError(error) && error.name === 'RangeError') return false;
    throw error;
  }
}
