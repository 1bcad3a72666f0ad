/**
 * Writes N keys as `redis-cli --pipe` would: SET key:000000000000 ... in large pipelines, at most
 * so many unanswered. Arguments: port, first key, count, value bytes. Exits 1 on an error reply.
 */
import { connect } from 'node:net';

const [port = 0, first = 0, count = 0, valueBytes = 16] = process.argv.slice(2).map(Number);
const value = 'x'.repeat(valueBytes);
const batch = 2000;
const unansweredMax = 40_000;
const replyBytes = '+OK\r\n'.length;

const socket = connect(port, '127.0.0.1');
let sent = 0;
let received = 0;

/** @type {(index: number) => string} */
function setCommand(index) {
  const key = `key:${String(index).padStart(12, '0')}`;
  return `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`;
}

function sendMore() {
  while (sent < count && sent - received / replyBytes < unansweredMax) {
    const end = Math.min(count, sent + batch);
    let text = '';
    for (let i = sent; i < end; i++) text += setCommand(first + i);
    sent = end;
    socket.write(text);
  }
}

socket.on('connect', sendMore);
socket.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
socket.on('data', (chunk) => {
  if (chunk.includes('-')) {
    process.stderr.write(`${chunk.toString('latin1').slice(0, 200)}\n`);
    process.exit(1);
  }
  received += chunk.length;
  if (received === count * replyBytes) process.exit(0);
  sendMore();
});
