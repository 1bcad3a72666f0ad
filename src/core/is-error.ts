/**
 * Whether something thrown is an error, whoever made it.
 *
 * A test runner that gives each test a context of its own (Jest, Vitest with vmThreads) runs this
 * code with an `Error` of its own, while errors of system calls are made with Node's: to
 * `instanceof` they are none.
 */
export function isError(thrown: unknown): thrown is Error {
  return Object.prototype.toString.call(thrown) === '[object Error]';
}
