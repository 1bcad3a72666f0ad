/**
 * A steady write load: so many commands a second, spread over milliseconds, until its standard
 * input ends. Arguments: port, recipes as JSON (recipe.js), range, commands a second. The recipes
 * take turns, each with a random index below `range`; every answer must be one line. Prints
 * "writing", and at the end how many were answered.
 */
import { connect } from 'node:net';
import { requestWriter } from './recipe.js';

const [port, json = '[]', range = '1', rate = '0'] = process.argv.slice(2);
/** @type {import('./recipe.js').Recipe[]} */
const recipes = JSON.parse(json);
const writers = recipes.map(requestWriter);
const perSecond = Number(rate);
const socket = connect(Number(port), '127.0.0.1');
const newline = 10;
let received = 0;
let sent = 0;
let started = 0;

/** @type {(turn: number) => string} */
function request(turn) {
  const index = Math.floor(Math.random() * Number(range));
  return writers[turn % writers.length]?.(index) ?? '';
}

function sendDue() {
  const due = Math.floor(((performance.now() - started) * perSecond) / 1000);
  let text = '';
  // Unanswered writes are bounded: a stalled server is not to be flooded afterwards.
  for (; sent < due && sent - received < perSecond / 4; sent++) text += request(sent);
  sent = Math.max(sent, due - perSecond);
  if (text !== '') socket.write(text);
}

socket.setNoDelay(true);
socket.on('connect', () => {
  started = performance.now();
  process.stdout.write('writing\n');
  setInterval(sendDue, 1);
});
socket.on('data', (chunk) => {
  for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) received++;
});
process.stdin.resume();
process.stdin.on('end', () => {
  process.stdout.write(`${received}\n`);
  process.exit(0);
});
