/**
 * The server's clock: what is to be done again and again beside the commands.
 *
 * A task has a period; each tick runs those that are due. Ticks come `hz` times a second (10 by
 * default). Tasks are short: one with more than a millisecond's work does it in slices of its own.
 * The steady clock says what is due, so that nothing stops for an hour when the system's clock is
 * set back by one. Tasks are passed the system's time.
 */

interface Task {
  readonly periodMs: number;
  readonly run: (nowMs: number) => void;
  /** When the task runs next, by the clock of `performance`. */
  nextMs: number;
}

export class Cron {
  private readonly tasks: Task[] = [];
  private timer: NodeJS.Timeout | null = null;
  /** Whether DEBUG PAUSE-CRON stops all tasks. */
  paused = false;

  /** Adds a task that runs every `periodMs`; 0 is every tick. */
  every(periodMs: number, run: (nowMs: number) => void): void {
    this.tasks.push({ periodMs, run, nextMs: 0 });
  }

  /** Ticks `hz` times a second from now on. */
  start(hz: number): void {
    this.stop();
    this.timer = setInterval(() => this.tick(), Math.max(2, Math.round(1000 / hz)));
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private tick(): void {
    if (this.paused) return;
    const steadyMs = performance.now();
    const nowMs = Date.now();
    for (const task of this.tasks) {
      if (steadyMs < task.nextMs) continue;
      task.nextMs = steadyMs + task.periodMs;
      task.run(nowMs);
    }
  }
}
