/**
 * Loaded into a server, and into its snapshot child, before their own code: counts every call at
 * the door to the disk (persistence/file-system.ts) and ends the server at one of them, as kill -9
 * does.
 *
 *   CAIRN_FAILPOINT="server rename 2 before"    before its second rename; `after` it, or for a
 *   CAIRN_FAILPOINT="child write 1 half"        write, with `half` of the bytes written
 *   CAIRN_FAILPOINT_COUNTS=/path/counts         writes /path/counts.server and .child at the end:
 *                                               how often each kind of call was made
 *
 * A call and its synchronous form are of one kind. Without these variables nothing is changed.
 */
import childProcess from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const { CAIRN_FAILPOINT: point, CAIRN_FAILPOINT_COUNTS: countsPath } = process.env;
const script = process.argv[1] ?? '';
const role = script.includes('snapshot-child') ? 'child' : 'server';
const [wantedRole, wantedKind, wantedNumber, when] = (point ?? '').split(' ');
/** @type {Record<string, number>} */
const counts = {};

/** @typedef {(...args: unknown[]) => unknown} Call */

/** Ends the server, and this process if it is another one. Does not return. */
function die() {
  if (role === 'child') process.kill(process.ppid, 'SIGKILL');
  process.kill(process.pid, 'SIGKILL');
  for (;;);
}

/**
 * The call, counted; it ends the server when it is the one.
 * @param {string} name
 * @param {Call} call
 * @returns {Call}
 */
function guarded(name, call) {
  const kind = name.replace(/Sync$/, '');
  return (...args) => {
    const number = (counts[kind] ?? 0) + 1;
    counts[kind] = number;
    const isHit = role === wantedRole && kind === wantedKind && number === Number(wantedNumber);
    if (!isHit) return opened(call(...args));
    if (when === 'before') die();
    if (when === 'half' && kind.startsWith('write')) args[2] = Number(args[2]) >> 1;
    if (typeof args.at(-1) === 'function') args[args.length - 1] = die;
    const result = call(...args);
    if (result instanceof Promise) return result.then(die, die);
    if (result !== undefined || typeof args.at(-1) !== 'function') die();
    return result;
  };
}

/**
 * Guards the calls of an open file as well.
 * @param {unknown} result
 * @returns {unknown}
 */
function opened(result) {
  if (result instanceof Promise) return result.then(opened);
  if (typeof result !== 'object' || result === null || !('closeSync' in result)) return result;
  return new Proxy(result, {
    get(file, name) {
      const value = Reflect.get(file, name);
      return typeof value === 'function' ? guarded(String(name), value.bind(file)) : value;
    },
  });
}

if (point !== undefined || countsPath !== undefined) {
  const folder = role === 'child' ? dirname(script) : join(dirname(script), '..', 'dist', 'run');
  const door = await import(pathToFileURL(join(folder, 'file-system.js')).href);
  const calls = Object.entries(door.realFileSystem);
  for (const [name, call] of calls) door.realFileSystem[name] = guarded(name, call);
  const { spawn } = childProcess;
  /**
   * @param {string} program
   * @param {string[]} args
   * @param {object} options
   */
  const spawnGuarded = (program, args, options) => {
    const preload = ['--import', fileURLToPath(import.meta.url)];
    const guarded = args.flatMap((arg) =>
      arg.includes('snapshot-child') ? [...preload, arg] : [arg],
    );
    return Reflect.apply(spawn, childProcess, [program, guarded, options]);
  };
  Object.assign(childProcess, { spawn: spawnGuarded });
  syncBuiltinESMExports();
  if (countsPath !== undefined) {
    process.on('exit', () => writeFileSync(`${countsPath}.${role}`, JSON.stringify(counts)));
  }
}
