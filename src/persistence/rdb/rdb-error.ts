/** What is wrong with an RDB file or payload, and at which byte. */
export class RdbError extends Error {
  /** Bytes from the start of the file or payload. */
  readonly offset: number;

  constructor(reason: string, offset: number) {
    super(`${reason}, at byte ${offset}`);
    this.name = 'RdbError';
    this.offset = offset;
  }
}

/** A key as messages show it, or its beginning when it is long. */
export function printedKey(key: Uint8Array, length: number): string {
  return Buffer.from(key.subarray(0, Math.min(length, 128))).toString('latin1');
}
