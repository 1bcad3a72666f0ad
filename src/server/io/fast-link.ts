/**
 * The fast link: a socket driven through its handle, the one place that touches one.
 *
 * What it saves, beside `socket.on('data')` (measured, 50 connections, one GET a read): no Buffer
 * and no stream machinery a read, about 1.5 us; and no queue, no callback and no request object a
 * write, about 2 us.
 *
 *     read    the handle reads into one buffer that all links of the process share
 *             (useUserBuffer); its `onread` finds the byte count in the stream-base state
 *     write   writeBuffer sends at once when the kernel has room, and then the request object is
 *             free again; a request that turned asynchronous owns its bytes until `oncomplete`
 *
 * A peer that has sent many commands rests after a read of them, until a later turn
 * (rest-queue.ts). Node would go on reading from it, 32 times, while all others wait: measured, 65
 * ms of commands in one turn. The bytes of a long value are only copied, and may come 32 times.
 *
 * This leans on internals of Node (the same in 20.20, 22.23 and 24.21), so `probeFastLink` asks for
 * each piece at start, and where one is missing the plain link serves instead. Everything that is
 * unusual about the types is here: the handle and its binding are described below as far as they
 * are used.
 */
import type { Socket } from 'node:net';
import { copyBytes } from '../../core/memory/copy.ts';
import {
  type Link,
  type LinkOwner,
  READ_BYTES,
  READ_HEADROOM,
  SEND_DONE,
  SEND_FAILED,
  SEND_PENDING,
} from './link.ts';
import { type Resting, rest } from './rest-queue.ts';

interface WriteRequest {
  handle?: Handle | undefined;
  link?: FastLink | undefined;
  /** What is being sent must not be collected meanwhile; `writeBuffer` sees to that itself. */
  parts?: Uint8Array[] | undefined;
  oncomplete?: ((this: WriteRequest, status: number) => void) | undefined;
}

interface Handle {
  readonly fd?: number;
  onread: (this: Handle) => void;
  link?: FastLink;
  readStart(): number;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  writev(request: WriteRequest, parts: Uint8Array[], allBuffers: true): number;
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

interface BindingProcess {
  binding?: (name: string) => Partial<StreamBinding>;
}

interface HandleSocket {
  _handle?: Handle | null;
}

const UV_EOF = -4095;
const sharedRead = new Uint8Array(READ_HEADROOM + READ_BYTES);
const readArea = sharedRead.subarray(READ_HEADROOM);
let binding: StreamBinding | null | undefined;
let spareRequest: WriteRequest | null = null;

/** A read of less is no reason to look at the clock. */
const LONG_READ_BYTES = READ_BYTES / 8;
/** A long read that took longer was one of commands. */
const REST_AFTER_MS = 0.1;
/** Longer sends get a view of their own. */
const SMALL_SEND_MAX = 1024;
/**
 * Small sends leave from here: a view of each length is made once, where a new one for each send
 * would cost more than copying the bytes. What an asynchronous send still needs is left to it.
 */
let sendArea = new Uint8Array(SMALL_SEND_MAX);
let sendViews: (Uint8Array | undefined)[] = [];

/** Whether this Node has what the fast link needs. */
function probeFastLink(): boolean {
  binding ??= loadBinding();
  return binding !== null;
}

function loadBinding(): StreamBinding | null {
  try {
    const found = (process as BindingProcess).binding?.('stream_wrap');
    if (
      found?.WriteWrap === undefined ||
      found.streamBaseState === undefined ||
      found.kReadBytesOrError === undefined ||
      found.kLastWriteWasAsync === undefined
    ) {
      return null;
    }
    const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = found;
    return { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync };
  } catch {
    return null;
  }
}

/**
 * Takes over an accepted socket that has not begun to read; null when its handle lacks what is
 * needed.
 */
export function fastLink(socket: Socket, owner: LinkOwner): Link | null {
  const handle = (socket as HandleSocket)._handle;
  if (!probeFastLink() || handle === null || handle === undefined) return null;
  const { useUserBuffer, writeBuffer, writev } = handle;
  if (![useUserBuffer, writeBuffer, writev].every((one) => typeof one === 'function')) return null;
  return new FastLink(socket, handle, owner);
}

/** The bytes, copied to where a view of this length is ready. */
function smallView(bytes: Uint8Array, from: number, length: number): Uint8Array {
  copyBytes(bytes, from, sendArea, 0, length);
  let view = sendViews[length];
  if (view === undefined) {
    view = sendArea.subarray(0, length);
    sendViews[length] = view;
  }
  return view;
}

function renewSendArea(): void {
  sendArea = new Uint8Array(SMALL_SEND_MAX);
  sendViews = [];
}

function onRead(this: Handle): void {
  this.link?.readable(binding!.streamBaseState[binding!.kReadBytesOrError]!);
}

function onWritten(this: WriteRequest, status: number): void {
  this.link?.written(status);
}

class FastLink implements Link, Resting {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly fd: number;

  private readonly socket: Socket;
  private readonly handle: Handle;
  private readonly owner: LinkOwner;
  private open = true;
  private reading = true;
  private pending = false;
  private ending = false;
  /** It does not read because it has had its part of this turn. */
  private resting = false;
  /** How long its last long read kept the loop busy; a double from the first (entry-store.ts). */
  tookMs = Number.NaN;

  constructor(socket: Socket, handle: Handle, owner: LinkOwner) {
    this.socket = socket;
    this.handle = handle;
    this.owner = owner;
    this.remoteAddress = addressOf(socket.remoteAddress, socket.remotePort, socket.remoteFamily);
    this.localAddress = addressOf(socket.localAddress, socket.localPort, socket.localFamily);
    this.fd = handle.fd ?? -1;
    handle.link = this;
    handle.onread = onRead;
    handle.useUserBuffer(readArea);
    socket.on('error', (error) => this.closed(error.message));
    socket.on('close', () => this.closed('closed'));
    handle.readStart();
  }

  send(bytes: Uint8Array, from: number, to: number): number {
    if (!this.open) return SEND_FAILED;
    const length = to - from;
    const view =
      length <= SMALL_SEND_MAX ? smallView(bytes, from, length) : bytes.subarray(from, to);
    const request = spareRequest ?? new binding!.WriteWrap();
    spareRequest = null;
    const result = this.settle(request, this.handle.writeBuffer(request, view));
    if (result === SEND_PENDING && length <= SMALL_SEND_MAX) renewSendArea();
    return result;
  }

  sendParts(parts: Uint8Array[]): number {
    if (!this.open) return SEND_FAILED;
    const request = spareRequest ?? new binding!.WriteWrap();
    spareRequest = null;
    const result = this.settle(request, this.handle.writev(request, parts, true));
    if (result === SEND_PENDING) request.parts = parts;
    return result;
  }

  pause(): void {
    if (this.open && this.reading && !this.resting) this.handle.readStop();
    this.reading = false;
  }

  resume(): void {
    if (this.open && !this.reading && !this.resting) this.handle.readStart();
    this.reading = true;
  }

  /** Lets the others have their turn. */
  private rest(): void {
    this.resting = true;
    if (this.reading) this.handle.readStop();
    rest(this);
  }

  /** Reads on, since it is its turn again. */
  rested(): void {
    this.resting = false;
    if (this.open && this.reading) this.handle.readStart();
  }

  end(): void {
    this.ending = true;
    if (!this.pending) this.destroy();
  }

  destroy(): void {
    this.socket.destroy();
    this.closed('closed by the server');
  }

  setKeepAlive(seconds: number): void {
    this.socket.setKeepAlive(seconds > 0, seconds * 1000);
  }

  setNoDelay(on: boolean): void {
    this.socket.setNoDelay(on);
  }

  /** The handle read `count` bytes, or failed with a negative code. */
  readable(count: number): void {
    if (!this.open) return;
    if (count >= LONG_READ_BYTES) {
      const begunMs = performance.now();
      this.owner.onRead(sharedRead, READ_HEADROOM, READ_HEADROOM + count);
      this.tookMs = performance.now() - begunMs;
      if (this.open && this.tookMs > REST_AFTER_MS) this.rest();
    } else if (count > 0) {
      this.owner.onRead(sharedRead, READ_HEADROOM, READ_HEADROOM + count);
    } else if (count < 0) {
      this.breakOff(count === UV_EOF ? 'client closed connection' : `read ${count}`);
    }
  }

  /** An asynchronous write is complete. */
  written(status: number): void {
    this.pending = false;
    if (status < 0) {
      this.breakOff(`write failed (${status})`);
      return;
    }
    if (this.ending) this.destroy();
    else if (this.open) this.owner.onSent();
  }

  /** What became of a write that was just asked for. */
  private settle(request: WriteRequest, status: number): number {
    if (status !== 0) {
      this.breakOff(`write failed (${status})`);
      return SEND_FAILED;
    }
    if (binding!.streamBaseState[binding!.kLastWriteWasAsync] === 0) {
      spareRequest = request;
      return SEND_DONE;
    }
    request.handle = this.handle;
    request.link = this;
    request.oncomplete = onWritten;
    this.pending = true;
    return SEND_PENDING;
  }

  private breakOff(reason: string): void {
    this.socket.destroy();
    this.closed(reason);
  }

  private closed(reason: string): void {
    if (!this.open) return;
    this.open = false;
    this.owner.onClosed(reason);
  }
}

/** "127.0.0.1:6379" or "[::1]:6379"; a unix socket has neither address nor port. */
export function addressOf(
  address: string | undefined,
  port: number | undefined,
  family: string | undefined,
): string {
  if (address === undefined) return '';
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}
