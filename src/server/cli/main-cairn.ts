/** What `bin/cairn.js` runs. */
import { hostServer } from '../hosted-server.ts';
import { backupTool, restoreTool } from './backup-tools.ts';
import { runCairn } from './cairn-program.ts';
import { checkAofTool, checkRdbTool } from './check-tools.ts';
import { convertTool, diffTool, exportTool, statsTool } from './rdb-tools.ts';
import { runServer } from './run-server.ts';
import { terminalIo } from './tool-io.ts';

const parts = {
  server: (args: readonly string[], defaults: (optionLines: string) => string) =>
    runServer(args, { create: hostServer, defaults }),
  checkRdb: checkRdbTool,
  checkAof: checkAofTool,
  stats: statsTool,
  exportRdb: exportTool,
  diff: diffTool,
  convert: convertTool,
  backup: backupTool,
  restore: restoreTool,
};
const code = await runCairn(process.argv.slice(2), parts, terminalIo());
if (code !== undefined) process.exit(code);
