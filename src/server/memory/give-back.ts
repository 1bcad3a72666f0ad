/**
 * Buffers go back to the system at once. Left to the garbage collector they would stay for as long
 * as there is little other garbage, which in a server that is idle is for ever.
 *
 * A buffer that is sent to a port takes its memory along; when nobody is at the other end, the
 * memory is freed with the message.
 */
import { MessageChannel } from 'node:worker_threads';

/** Frees the memory of buffers that nobody uses any more; they have a length of 0 afterwards. */
export function giveBack(buffers: ArrayBuffer[]): void {
  if (buffers.length === 0) return;
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.postMessage(null, buffers);
  port1.close();
}
