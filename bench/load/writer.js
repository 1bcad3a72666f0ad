/**
 * A steady write load: so many SETs of random keys a second, spread over milliseconds, until its
 * standard input ends. Arguments: port, keys, writes a second. Prints how many were answered.
 */
import { connect } from 'node:net';

const [port = 0, keys = 1, perSecond = 0] = process.argv.slice(2).map(Number);
const value = 'y'.repeat(16);
const socket = connect(port, '127.0.0.1');
let received = 0;
let sent = 0;
let started = 0;

function sendDue() {
  const due = Math.floor(((performance.now() - started) * perSecond) / 1000);
  let text = '';
  // Unanswered writes are bounded: a stalled server is not to be flooded afterwards.
  for (; sent < due && sent - received / 5 < perSecond / 4; sent++) {
    const key = `key:${String(Math.floor(Math.random() * keys)).padStart(12, '0')}`;
    text += `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`;
  }
  sent = Math.max(sent, due - perSecond);
  if (text !== '') socket.write(text);
}

socket.setNoDelay(true);
socket.on('connect', () => {
  started = performance.now();
  setInterval(sendDue, 1);
});
socket.on('data', (chunk) => {
  received += chunk.length;
});
process.stdin.resume();
process.stdin.on('end', () => {
  process.stdout.write(`${Math.floor(received / 5)}\n`);
  process.exit(0);
});
