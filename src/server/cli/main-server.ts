/** What `bin/cairn-server.js` runs. */
import { hostServer } from '../hosted-server.ts';
import { runServer } from './run-server.ts';

const code = await runServer(process.argv.slice(2), { create: hostServer });
if (code !== undefined) process.exit(code);
