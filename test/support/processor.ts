/** What the processor can do that shows in results. */
import { existsSync, readFileSync } from 'node:fs';

const LIST = '/proc/cpuinfo';

/**
 * Whether the C library of an x86-64 multiplies and adds with one rounding here: its sines have
 * other last bits where it does not.
 */
export function hasFusedMultiplyAdd(): boolean {
  return existsSync(LIST) && /^flags\b.*\bfma\b/m.test(readFileSync(LIST, 'latin1'));
}
