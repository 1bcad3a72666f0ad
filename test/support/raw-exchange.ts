/** Commands sent in one go, and what comes back as bytes: for answers that are no whole replies. */
import { connect } from 'node:net';
import { encodeCommand } from './raw-client.ts';

/** Sends lines of words on a connection of their own; all that comes, up to and without `end`. */
export function rawExchange(port: number, lines: readonly string[], end: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (!text.endsWith(end)) return;
      socket.destroy();
      resolve(text.slice(0, -end.length));
    });
    for (const line of lines) socket.write(encodeCommand(line.split(' ')));
  });
}
