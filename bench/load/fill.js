/**
 * Writes data sets as `redis-cli --pipe` would: everything is sent as fast as the socket takes it,
 * answers are looked at for errors only, and an ECHO at the end tells when all is done.
 * Arguments: port, recipes as JSON (recipe.js). Exits 1 on an error reply.
 */
import { connect } from 'node:net';
import { requestWriter } from './recipe.js';

/** @typedef {import('./recipe.js').Recipe} Recipe */

const batchBytes = 128 * 1024;
const [port, json = '[]'] = process.argv.slice(2);
/** @type {Recipe[]} */
const recipes = JSON.parse(json);
const mark = `the end of ${process.pid}`;
const socket = connect(Number(port), '127.0.0.1');
let tail = '';

/** @type {(text: string) => never} */
function fail(text) {
  process.stderr.write(`${text.slice(0, 200)}\n`);
  process.exit(1);
}

function* requests() {
  for (const recipe of recipes) {
    const write = requestWriter(recipe);
    for (let i = 0; i < (recipe.commands ?? 1); i++) yield write(i);
  }
  yield requestWriter({ command: ['ECHO', mark] })(0);
}

const source = requests();

function sendMore() {
  let writable = true;
  while (writable) {
    let batch = '';
    while (batch.length < batchBytes) {
      const { value, done } = source.next();
      if (done) break;
      batch += value;
    }
    if (batch === '') return;
    writable = socket.write(batch, 'latin1');
  }
  socket.once('drain', sendMore);
}

socket.on('connect', sendMore);
socket.on('error', (error) => fail(error.message));
socket.on('close', () => fail('the server closed the connection'));
socket.on('data', (chunk) => {
  // What was at the end of the last chunk may be the first half of a line's beginning or the mark.
  const text = tail + chunk.toString('latin1');
  const error = /(?:^|\n)-([A-Z].*)/.exec(text);
  if (error !== null) fail(error[1] ?? '');
  if (text.includes(mark)) process.exit(0);
  tail = text.slice(-mark.length);
});
