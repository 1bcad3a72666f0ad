/** What was thrown: errors of this context, of Node, of another one; and what is none. */
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { errorCode, errorText, isError } from '../../src/persistence/file-system.ts';
import { RdbError } from '../../src/persistence/rdb/rdb-error.ts';
import { errorReason } from '../../src/server/config/system-error.ts';

function thrownBy(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

it('knows an error, whichever context it was made in', () => {
  const foreign = runInNewContext('Object.assign(new RangeError("far"), { code: "ENOENT" })');
  expect(foreign instanceof Error).toBe(false);
  const errors = [foreign, thrownBy(() => readFileSync('/nowhere')), new RdbError('bad', 7)];
  expect(errors.map(isError)).toEqual([true, true, true]);
  const others = [undefined, null, 'Error', { name: 'Error', message: '', code: 'ENOENT' }];
  expect(others.map(isError)).toEqual([false, false, false, false]);
  expect([errorCode(foreign), errorText(foreign)]).toEqual(['ENOENT', 'far']);
  expect(errorReason(foreign)).toBe('No such file or directory');
});
