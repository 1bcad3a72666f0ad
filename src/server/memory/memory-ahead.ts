/**
 * Memory made ready before it is wanted.
 *
 * The kernel gives a page when it is first touched, and whoever touches it waits until it is
 * cleared. With huge pages that is two megabytes at a time: measured in a virtual machine, where
 * the host has to find the memory too, 4 ms a page and 24 at worst, in the midst of a command. So
 * the next chunk of the arena is touched by a thread of libuv's pool, which reads zeroes into it,
 * while the loop serves from the last one. Using it then takes 0.04 ms instead of 9.
 *
 *     arena   [ chunk: spans in use | 1 span free ]   onLow -> read zeroes (pool) -> spareChunk
 *
 * Whoever grows faster than the pool takes a chunk that is not ready, as ever. One that is ready
 * and not taken soon goes back to the system: when growth goes on, the last megabyte of the old
 * chunk gives time to make another ready.
 */
import { open } from 'node:fs/promises';
import type { Arena } from '../../core/memory/arena.ts';
import { CHUNK_BYTES } from '../../core/memory/chunk-space.ts';
import { giveBack } from './give-back.ts';

const ZEROES = '/dev/zero';
/** How long a chunk stays ready. */
const READY_MS = 200;

/**
 * Keeps the arena supplied with chunks from now on. `zeroes`: the file they are read from; where it
 * cannot be read, pages come when they are touched.
 */
export function supplyChunks(arena: Arena, zeroes = ZEROES): void {
  let isAtWork = false;
  arena.onLow = () => {
    if (isAtWork) return;
    isAtWork = true;
    touchedChunk(zeroes).then(
      (chunk) => {
        isAtWork = false;
        arena.spareChunk = chunk;
        setTimeout(() => {
          if (arena.spareChunk !== chunk) return;
          arena.spareChunk = null;
          giveBack([chunk]);
        }, READY_MS).unref();
      },
      () => {
        arena.onLow = () => {};
      },
    );
  };
}

/** A chunk whose pages are there already. Rejects where the zeroes cannot be read. */
export async function touchedChunk(zeroes = ZEROES): Promise<ArrayBuffer> {
  const file = await open(zeroes, 'r');
  try {
    const chunk = new ArrayBuffer(CHUNK_BYTES);
    await file.read(new Uint8Array(chunk), 0, CHUNK_BYTES, null);
    return chunk;
  } finally {
    await file.close();
  }
}
