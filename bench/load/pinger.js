/**
 * Measures a server's stalls from outside: PING every millisecond on one connection, the time until
 * each answer recorded, until standard input ends. While one is unanswered no other is sent, so a
 * stall counts once, with its whole length. Argument: port.
 *
 * What this process does itself, and how long it waits for a core, is in the times. So it has one
 * thread (`startPinger` has V8 compile nothing and collect garbage with no help), makes no garbage
 * but the times, and asks for priority. With a thread for half milliseconds, and V8's own, it was
 * found in its own worst times: an idle server showed 6 ms for now 4.
 *
 * Prints "probing" after the first answer, and at the end JSON:
 * { count, p50Ms, p99Ms, p999Ms, maxMs, over1Ms, over5Ms, over20Ms }.
 */
import { connect } from 'node:net';
import { setPriority } from 'node:os';

const everyMs = 1;
const port = Number(process.argv[2]);
const ping = Buffer.from('*1\r\n$4\r\nPING\r\n');
/** @type {number[]} */
const timesMs = [];
let sentAt = -1;

// Measure the server's delays, not this process's: ask for priority, go on without.
try {
  setPriority(0, -15);
} catch {
  process.stderr.write('pinger: no higher priority without root; expect noise\n');
}

function report() {
  const sorted = Float64Array.from(timesMs).sort();
  /** @type {(share: number) => number} */
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  /** @type {(ms: number) => number} */
  const over = (ms) => timesMs.filter((time) => time > ms).length;
  const shares = { p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999), maxMs: at(1) };
  const counts = { over1Ms: over(1), over5Ms: over(5), over20Ms: over(20) };
  process.stdout.write(`${JSON.stringify({ count: timesMs.length, ...shares, ...counts })}\n`);
}

function answered() {
  if (timesMs.length === 0) process.stdout.write('probing\n');
  timesMs.push(performance.now() - sentAt);
  sentAt = -1;
  return true;
}

function send() {
  if (sentAt >= 0) return;
  sentAt = performance.now();
  socket.write(ping);
}

const onread = { buffer: Buffer.alloc(64), callback: answered };
const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread }, () => {
  setInterval(send, everyMs);
});
process.stdin.resume();
process.stdin.on('end', () => {
  if (sentAt >= 0) timesMs.push(performance.now() - sentAt);
  report();
  process.exit(0);
});
