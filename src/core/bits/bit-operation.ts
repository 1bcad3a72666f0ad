/**
 * BITOP: AND, OR, XOR and NOT over whole values.
 *
 * Sources of unequal lengths count as followed by zeros up to the longest. The work goes block by
 * block through the kernel, so each source is read once whatever their number:
 *
 *     blockA <- source 0        blockB <- source i, then blockA op= blockB        dst <- blockA
 */
import { andBlock, BLOCK_BYTES, blockA, blockB, notBlock, orBlock, xorBlock } from './kernel.ts';

export type BitOperation = 'and' | 'or' | 'xor' | 'not';

/** A borrowed range of bytes; a key that does not exist has the length 0. */
export type BitSource = {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly length: number;
};

/** The length of the result: that of the longest source. */
export function bitOperationLength(sources: readonly BitSource[]): number {
  let length = 0;
  for (const source of sources) length = Math.max(length, source.length);
  return length;
}

/**
 * Writes the result to `dst` from `dstOff` on, `bitOperationLength(sources)` bytes. `dst` may not
 * overlap a source, unless both begin at the same byte. NOT takes exactly one source.
 */
export function bitOperation(
  operation: BitOperation,
  dst: Uint8Array,
  dstOff: number,
  sources: readonly BitSource[],
): void {
  const length = bitOperationLength(sources);
  for (let from = 0; from < length; from += BLOCK_BYTES) {
    const size = Math.min(length - from, BLOCK_BYTES);
    for (let i = 0; i < sources.length; i++) {
      stage(i === 0 ? blockA : blockB, sources[i]!, from, size);
      if (i > 0) combine(operation, size);
    }
    if (operation === 'not') notBlock(size);
    dst.set(size === BLOCK_BYTES ? blockA : blockA.subarray(0, size), dstOff + from);
  }
}

/** Copies `size` bytes of a source, from its byte `from` on; zeros stand for what it lacks. */
function stage(block: Uint8Array, source: BitSource, from: number, size: number): void {
  const has = Math.max(0, Math.min(source.length - from, size));
  const start = source.offset + from;
  if (has > 0) block.set(source.bytes.subarray(start, start + has));
  if (has < size) block.fill(0, has, size);
}

function combine(operation: BitOperation, size: number): void {
  if (operation === 'and') andBlock(size);
  else if (operation === 'or') orBlock(size);
  else xorBlock(size);
}
