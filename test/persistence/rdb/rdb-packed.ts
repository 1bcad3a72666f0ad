/** Parts of an RDB written by hand: long strings, numbers, listpacks and ziplists as strings. */

/** A string of any bytes, as an RDB has it. */
export const blob = (bytes: string): string => String.fromCharCode(0x40, bytes.length) + bytes;
export const int64 = (value: number): number[] => [
  ...new Uint8Array(new BigInt64Array([BigInt(value)]).buffer),
];
export const ENTRY = (value: string): string =>
  String.fromCharCode(0x80 | value.length) + value + String.fromCharCode(value.length + 1);

/** A listpack of short strings. */
export function listpack(...values: string[]): string {
  const body = values.map(ENTRY).join('');
  const head = Buffer.alloc(6);
  head.writeUInt32LE(body.length + 7, 0);
  head.writeUInt16LE(values.length, 4);
  return `${head.toString('latin1')}${body}\xff`;
}

/** A ziplist of short strings. */
export function ziplist(...values: string[]): string {
  let body = '';
  let before = 0;
  let last = 10;
  for (const value of values) {
    last = 10 + body.length;
    body += String.fromCharCode(before, value.length) + value;
    before = value.length + 2;
  }
  const head = Buffer.alloc(10);
  head.writeUInt32LE(body.length + 11, 0);
  head.writeUInt32LE(last, 4);
  head.writeUInt16LE(values.length, 8);
  return `${head.toString('latin1')}${body}\xff`;
}
