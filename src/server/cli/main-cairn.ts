/** What `bin/cairn.js` runs. */
import { createServer } from '../index.ts';
import { runCairn } from './cairn-program.ts';
import { checkAofTool, checkRdbTool } from './check-tools.ts';
import { runServer } from './run-server.ts';

const code = await runCairn(process.argv.slice(2), {
  server: (args, defaults) => runServer(args, { create: createServer, defaults }),
  checkRdb: checkRdbTool,
  checkAof: checkAofTool,
});
if (code !== undefined) process.exit(code);
