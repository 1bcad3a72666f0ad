/**
 * A link: one client's socket, as the rest of the server sees it.
 *
 * Two kinds stand behind it: the fast one (fast-link.ts), which drives the socket's handle
 * directly, and the plain one (plain-link.ts) over `net`. Both hand what was read to the
 * owner in a borrowed buffer with free room in front, and both send without copying when the kernel
 * has room.
 */

/** What a link tells its owner. */
export interface LinkOwner {
  /**
   * `bytes[from .. to)` was read. Borrowed until the call returns; `bytes[0 .. from)` is scratch.
   */
  onRead(bytes: Uint8Array, from: number, to: number): void;
  /** A send that answered SEND_PENDING is complete. */
  onSent(): void;
  /** The peer has closed its side, or the link broke. Called once. */
  onClosed(reason: string): void;
}

/** Outcome of a send: the bytes are with the kernel. */
export const SEND_DONE = 0;
/** Outcome of a send: the kernel has no room, and the bytes belong to the link until `onSent`. */
export const SEND_PENDING = 1;
/** Outcome of a send: the link is broken, and `onClosed` will tell. */
export const SEND_FAILED = 2;

export interface Link {
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** Descriptor number, -1 where there is none. */
  readonly fd: number;
  /**
   * Sends `bytes[from .. to)`: SEND_DONE, SEND_PENDING or SEND_FAILED. One pending send at a time.
   */
  send(bytes: Uint8Array, from: number, to: number): number;
  /** Sends several pieces, which are not empty, as one; like `send`. The array is the link's. */
  sendParts(parts: Uint8Array[]): number;
  /** Stops or goes on reading: back-pressure. */
  pause(): void;
  resume(): void;
  /** Sends what is pending, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
  setKeepAlive(seconds: number): void;
  /** Whether small sends leave at once. */
  setNoDelay(on: boolean): void;
}

/** Free room in front of what is read, so that the rest of a command can be put back there. */
export const READ_HEADROOM = 65_536;
/** Bytes of one read. */
export const READ_BYTES = 65_536;
