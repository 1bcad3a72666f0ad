/**
 * Whether something thrown is an error, whoever made it.
 *
 * A test runner that gives each test a context of its own (Jest, Vitest with vmThreads) runs this
 * code with an `Error` of its own, while errors of system calls are made with Node's: to
 * `instanceof` they are none.
 */
import { types } from 'node:util';

export function isError(thrown: unknown): thrown is Error {
  return types.isNativeError(thrown);
}
