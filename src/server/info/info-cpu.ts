/**
 * INFO cpu: the processor time of the process, of its main thread, and of children that have ended.
 *
 * Node tells only the first; the others stand in /proc (Linux), in ticks of a hundredth of a
 * second. Elsewhere they are 0.
 *
 *     /proc/self/stat    1234 (cairn-server) S ... utime stime cutime cstime ...
 *                             the name may hold spaces and parentheses: fields begin behind it
 */
import { readFileSync } from 'node:fs';
import type { InfoLines } from './info-lines.ts';

/** Where utime stands behind the name; stime, cutime and cstime follow. */
const UTIME_FIELD = 11;
const TICKS_PER_SECOND = 100;

interface Ticks {
  readonly user: number;
  readonly system: number;
  readonly childrenUser: number;
  readonly childrenSystem: number;
}

function ticksOf(path: string): Ticks {
  let fields: string[] = [];
  try {
    const text = readFileSync(path, 'latin1');
    fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    // No such file: the figures are unknown.
  }
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields
    .slice(UTIME_FIELD, UTIME_FIELD + 4)
    .map(Number);
  return { user, system, childrenUser, childrenSystem };
}

export function cpuLines(): InfoLines {
  const { system, user } = process.cpuUsage();
  const whole = ticksOf('/proc/self/stat');
  const main = ticksOf(`/proc/self/task/${process.pid}/stat`);
  const seconds = (ticks: number): string => (ticks / TICKS_PER_SECOND).toFixed(6);
  return [
    ['used_cpu_sys', (system / 1e6).toFixed(6)],
    ['used_cpu_user', (user / 1e6).toFixed(6)],
    ['used_cpu_sys_children', seconds(whole.childrenSystem)],
    ['used_cpu_user_children', seconds(whole.childrenUser)],
    ['used_cpu_sys_main_thread', seconds(main.system)],
    ['used_cpu_user_main_thread', seconds(main.user)],
  ];
}
