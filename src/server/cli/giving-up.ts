/**
 * Work that a signal can end before its time, so that nothing half-made is left behind: Ctrl-C,
 * `kill`, and the end of the terminal.
 *
 *     a signal -> the next rest throws, `signal` is aborted -> the work undoes what it began
 *
 * Without this a signal would end the program where it is. What only reads has no need of it.
 */
import type { Rest } from '../../persistence/rdb/rdb-walk.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** How long the work goes on without a look at the signals. */
const LOOK_EVERY_MS = 50;

/** How work hears that it is to end. */
export interface GivingUp {
  readonly signal: AbortSignal;
  /** Rejects once a signal has come. */
  readonly rest: Rest;
}

/** Runs work that ends itself when a signal comes. */
export async function untilSignalled<T>(work: (givingUp: GivingUp) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const giveUp = (name: NodeJS.Signals): void =>
    controller.abort(new Error(`given up at ${name}: nothing was changed`));
  for (const name of SIGNALS) process.on(name, giveUp);
  try {
    return await work({ signal: controller.signal, rest: restUnless(controller.signal) });
  } finally {
    for (const name of SIGNALS) process.off(name, giveUp);
  }
}

function restUnless(signal: AbortSignal): Rest {
  let lookedMs = performance.now();
  return async () => {
    signal.throwIfAborted();
    if (performance.now() - lookedMs < LOOK_EVERY_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    lookedMs = performance.now();
    signal.throwIfAborted();
  };
}
