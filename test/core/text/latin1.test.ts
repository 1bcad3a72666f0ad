/**
 * Text of one character a byte: every byte both ways.
 */
import { expect, it } from 'vitest';
import { latin1Bytes, latin1Text } from '../../../src/core/text/latin1.ts';

it('gives every byte as it is, from any place on', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const text = latin1Text(bytes, 0, 256);
  expect([...text].map((one) => one.charCodeAt(0))).toEqual([...bytes]);
  expect(latin1Bytes(text)).toEqual(bytes);
  expect(latin1Text(bytes.subarray(60), 5, 3)).toBe('ABC');
  expect(latin1Text(bytes, 9, 0)).toBe('');
});
