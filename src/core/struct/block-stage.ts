/**
 * The memory of the two machines that see each node of a list or stream that a file brings: LZF
 * (lzf-machine.ts) unpacks it to the text, and the walk over a node of a stream
 * (stream-machine.ts) looks at it where it was unpacked.
 *
 *     memory   [ input: block | slack ][ text: block | slack ][ positions: 256 KiB ][ scratch ]
 *              0                       TEXT                   TABLE                 SCRATCH
 *
 * What one call leaves here is good until the next one of either machine.
 */
import { newMemory } from '../machine/assembler.ts';

/** Longer strings are not for these machines. */
export const STAGE_BYTES = 65_536;
/** What may be read or written behind a block: an item of LZF gives up to 264 bytes. */
const SLACK_BYTES = 512;
export const TEXT = STAGE_BYTES + SLACK_BYTES;
/** Where LZF notes, by a hash of three bytes, at which position it met them last. */
export const TABLE = TEXT * 2;
export const TABLE_ENTRIES = 65_536;
export const SCRATCH = TABLE + TABLE_ENTRIES * 4;
const PAGES = 7;

export const stage = newMemory(PAGES);
export const stagedInput = new Uint8Array(stage.buffer, 0, STAGE_BYTES);

/** Whether a text and what it is compressed to are short enough for these machines. */
export function fitStage(length: number, packedLength: number): boolean {
  return length <= STAGE_BYTES && packedLength <= STAGE_BYTES;
}

const text = new Uint8Array(stage.buffer, TEXT, STAGE_BYTES);
let shown = text;

/**
 * The first `length` bytes of the text, always the same array for the same bytes. One length often
 * follows on its like, and a new array costs as much as a copy of a thousand bytes.
 */
export function stagedText(length: number): Uint8Array {
  if (shown.length !== length) shown = text.subarray(0, length);
  return shown;
}
