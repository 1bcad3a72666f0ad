/**
 * Memory made ready before it is wanted.
 *
 * The kernel gives a page when it is first touched, and whoever touches it waits until it is
 * cleared. With huge pages that is two megabytes at a time: measured in a virtual machine, where
 * the host has to find the memory too, 4 ms a page and 24 at worst, in the midst of a command. So
 * the next chunk of the arena is touched by a thread of libuv's pool, which reads zeroes into it,
 * while the loop serves from the last one. Using it then takes 0.04 ms instead of 9.
 *
 *     arena   [ chunk: spans in use | 1 span free ]   onLow -> read zeroes (pool) -> spareChunks
 *
 * Whoever grows faster than the pool takes a chunk that is not ready, as ever, and from then on
 * twice as many are made ready at a time: while a file is loaded the loop has its turn every ten
 * milliseconds, in which two chunks are filled. Those that are ready and not taken soon go back to
 * the system: when growth goes on, the last megabyte of the old chunk gives time to make another
 * ready.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { Arena } from '../../core/memory/arena.ts';
import { CHUNK_BYTES } from '../../core/memory/chunk-space.ts';
import { giveBack } from './give-back.ts';

const ZEROES = '/dev/zero';
/** How long chunks stay ready after the last of them. */
const READY_MS = 200;
/** No more chunks are ready at a time. */
const READY_MAX = 4;

/**
 * Keeps the arena supplied with chunks from now on. `zeroes`: the file they are read from; where it
 * cannot be read, pages come when they are touched.
 */
export function supplyChunks(arena: Arena, zeroes = ZEROES): void {
  const supply = new ChunkSupply(arena, zeroes);
  arena.onLow = (isLate) => supply.low(isLate);
}

class ChunkSupply {
  private readonly arena: Arena;
  private readonly zeroes: string;
  /** Chunks that are to be ready at a time, and those that are being made so. */
  private wanted = 1;
  private atWork = 0;
  /** Open while chunks are made ready or are. */
  private file: Promise<FileHandle> | null = null;
  private readonly idle: NodeJS.Timeout;

  constructor(arena: Arena, zeroes: string) {
    this.arena = arena;
    this.zeroes = zeroes;
    this.idle = setTimeout(() => this.rest(), READY_MS).unref();
  }

  low(isLate: boolean): void {
    if (isLate) this.wanted = Math.min(this.wanted * 2, READY_MAX);
    while (this.atWork + this.arena.spareChunks.length < this.wanted) this.bring();
  }

  private bring(): void {
    this.atWork++;
    this.file ??= open(this.zeroes, 'r');
    const isOver = this.file.then(readChunk).then(
      (chunk) => {
        this.arena.spareChunks.push(chunk);
      },
      () => {
        this.arena.onLow = () => {};
      },
    );
    isOver.then(() => {
      this.atWork--;
      this.idle.refresh();
    });
  }

  /** Nobody has wanted more for a while. */
  private rest(): void {
    if (this.atWork > 0) return;
    this.wanted = 1;
    giveBack(this.arena.spareChunks.splice(0));
    this.file?.then((file) => file.close()).catch(() => {});
    this.file = null;
  }
}

/** A chunk whose pages are there already. Rejects where the zeroes cannot be read. */
export async function touchedChunk(zeroes = ZEROES): Promise<ArrayBuffer> {
  const file = await open(zeroes, 'r');
  try {
    return await readChunk(file);
  } finally {
    await file.close();
  }
}

async function readChunk(file: FileHandle): Promise<ArrayBuffer> {
  const chunk = new ArrayBuffer(CHUNK_BYTES);
  await file.read(new Uint8Array(chunk), 0, CHUNK_BYTES, null);
  return chunk;
}
