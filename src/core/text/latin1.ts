/**
 * Text and its bytes, one a character.
 *
 * What core works on is never a Buffer: code that V8 has compiled for one class of bytes is thrown
 * away when it meets another, and from then on asks each time which of the two it has.
 */

/** The bytes of a string of latin1 characters. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** `length` bytes from `offset` on as text, a character for each. */
export function latin1Text(bytes: Uint8Array, offset: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1');
}
