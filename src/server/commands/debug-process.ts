/**
 * The subcommands of DEBUG about the process and its files: sleeping, ending, logging, reloading.
 */
import type { Context } from '../dispatch/context.ts';
import { sleepSync } from '../time/sleep.ts';

const NOT_HERE = 'ERR DEBUG cannot load data inside a transaction or a script';
const CRASH_SIGNAL = 'SIGSEGV';

/** Stops the whole server, not only the client: that is what tests use it for. */
export function debugSleep(c: Context): void {
  const seconds = Number.parseFloat(c.args.text(2));
  if (seconds > 0) sleepSync(seconds * 1000);
  c.ok();
}

export function debugSegfault(c: Context): void {
  c.services.log.warning('DEBUG SEGFAULT: ending by a SIGSEGV');
  process.kill(process.pid, CRASH_SIGNAL);
  // The signal is under way; nothing that could be acknowledged may run any more.
  sleepSync(1000);
}

export function debugAbort(c: Context): void {
  c.services.log.warning(`DEBUG ${c.args.text(1).toUpperCase()}: ending by an abort`);
  process.abort();
}

export function debugRestart(c: Context): void {
  if (c.argc > 2 && Number.isNaN(c.integer(2))) return;
  c.services.log.warning('A server cannot restart itself: let its service manager do that');
  c.reply.error('ERR failed to restart the server. Check server logs.');
}

export function debugLog(c: Context): void {
  c.services.log.warning(`DEBUG LOG: ${c.args.text(2)}`);
  c.ok();
}

export function debugLeak(c: Context): void {
  c.keyspace.arena.alloc(c.args.lengths[2]!);
  c.ok();
}

export function debugConfigRewrite(c: Context): void {
  const { client, services } = c;
  if (!services.mayWait(client)) {
    c.reply.error('ERR CONFIG-REWRITE-FORCE-ALL cannot run inside a transaction or a script');
    return;
  }
  services.answerLater(client, services.config.rewrite({ force: true }), (error) => {
    if (error === undefined) client.reply.simple('OK');
    else client.reply.error(`ERR CONFIG-REWRITE-FORCE-ALL failed: ${error.replace(/^ERR /, '')}`);
  });
}

export function debugReload(c: Context): void {
  let save = true;
  let flush = true;
  let merge = false;
  for (let i = 2; i < c.argc; i++) {
    if (c.is(i, 'merge')) merge = true;
    else if (c.is(i, 'noflush')) flush = false;
    else if (c.is(i, 'nosave')) save = false;
    else {
      c.reply.error('ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.');
      return;
    }
  }
  load(c, (files) => files.reload({ save, flush, merge }), 'DB reloaded by DEBUG RELOAD');
}

export function debugLoadaof(c: Context): void {
  load(c, (files) => files.reloadAof(), 'Append Only File loaded by DEBUG LOADAOF');
}

type Files = Context['services']['persistence'];

/** Lets the client wait while data are loaded. */
function load(c: Context, work: (files: Files) => Promise<string | undefined>, done: string): void {
  const { client, services } = c;
  if (!services.mayWait(client)) c.reply.error(NOT_HERE);
  else {
    services.answerLater(client, work(services.persistence), (error) => {
      if (error !== undefined) {
        client.reply.error(error);
        return;
      }
      services.log.notice(done);
      client.reply.simple('OK');
    });
  }
}
