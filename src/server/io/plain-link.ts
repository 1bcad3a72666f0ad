/**
 * The plain link: a socket of `net` through its public interface. It serves where the fast link
 * cannot, with a Node whose internals differ, and behaves the same.
 */
import type { Socket } from 'node:net';
import { addressOf } from './fast-link.ts';
import {
  type Link,
  type LinkOwner,
  READ_BYTES,
  READ_HEADROOM,
  SEND_DONE,
  SEND_FAILED,
  SEND_PENDING,
} from './link.ts';

const sharedRead = new Uint8Array(READ_HEADROOM + READ_BYTES);

export class PlainLink implements Link {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly fd = -1;

  private readonly socket: Socket;
  private readonly owner: LinkOwner;
  private open = true;

  constructor(socket: Socket, owner: LinkOwner) {
    this.socket = socket;
    this.owner = owner;
    this.remoteAddress = addressOf(socket.remoteAddress, socket.remotePort, socket.remoteFamily);
    this.localAddress = addressOf(socket.localAddress, socket.localPort, socket.localFamily);
    socket.on('data', (chunk) => this.readable(chunk));
    socket.on('end', () => this.closed('client closed connection'));
    socket.on('error', (error) => this.closed(error.message));
    socket.on('close', () => this.closed('closed'));
    socket.resume();
  }

  /**
   * The stream keeps a reference to what it is given, so it is given a copy, and reports by
   * callback when full.
   */
  send(bytes: Uint8Array, from: number, to: number): number {
    return this.write(bytes.slice(from, to));
  }

  sendParts(parts: Uint8Array[]): number {
    return this.write(Buffer.concat(parts));
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.socket.end(() => this.socket.destroy());
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

  private write(bytes: Uint8Array): number {
    if (!this.open) return SEND_FAILED;
    const roomLeft = this.socket.write(bytes, () => {
      if (!roomLeft && this.open) this.owner.onSent();
    });
    return roomLeft ? SEND_DONE : SEND_PENDING;
  }

  private readable(chunk: Buffer): void {
    for (let from = 0; this.open && from < chunk.length; from += READ_BYTES) {
      const to = Math.min(chunk.length, from + READ_BYTES);
      sharedRead.set(chunk.subarray(from, to), READ_HEADROOM);
      this.owner.onRead(sharedRead, READ_HEADROOM, READ_HEADROOM + to - from);
    }
  }

  private closed(reason: string): void {
    if (!this.open) return;
    this.open = false;
    this.socket.destroy();
    this.owner.onClosed(reason);
  }
}
