/** What `bin/cairn-server.js` runs. */
import { createServer } from '../index.ts';
import { runServer } from './run-server.ts';

const code = await runServer(process.argv.slice(2), { create: createServer });
if (code !== undefined) process.exit(code);
