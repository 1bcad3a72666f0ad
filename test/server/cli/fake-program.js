/**
 * `cairn-server` with something small in place of the server, for tests of what is around it: a
 * socket that says PONG to anything. `timeout 77` lets its end fail once, `timeout 78` its start,
 * and 79 for want of rights.
 */
import { createServer } from 'node:net';
import { runServer } from '../../../dist/server/cli/run-server.js';

function create({ config, log, onBound, onRole, exit }) {
  const { values } = config;
  const sockets = createServer((socket) => {
    socket.on('data', (data) => {
      const text = String(data);
      if (text.includes('SHUTDOWN')) exit(0);
      if (text.includes('REPLICAOF')) onRole('replica');
      log.notice(`got ${text.trim()}`);
      socket.end('+PONG\r\n');
    });
    socket.on('error', () => undefined);
  });
  let fails = values.timeout === 77;
  return {
    port: values.port,
    listen: async () => {
      if (values.timeout === 78) throw new Error('Fatal error loading the DB');
      if (values.timeout === 79) {
        throw Object.assign(new Error("EACCES: mkdir '/x'"), { code: 'EACCES', path: '/x' });
      }
      await new Promise((resolve, reject) => {
        sockets.once('error', reject);
        sockets.listen(values.port, '127.0.0.1', resolve);
      });
      onBound();
      log.warning('Server initialized');
      log.notice('Ready to accept connections tcp');
    },
    isSaving: false,
    dropSnapshot: () => log.notice('dropped what was being written'),
    close: async (flags) => {
      log.notice(`closing with '${flags.join(' ')}'`);
      if (fails) {
        fails = false;
        throw new Error('the disk is full');
      }
    },
  };
}

const code = await runServer(process.argv.slice(2), { create });
if (code !== undefined) process.exit(code);
