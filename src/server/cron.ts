/**
 * The server's clock: what is to be done again and again beside the commands.
 *
 * A task has a period; each tick runs those that are due. Ticks come `hz` times a second (10 by
 * default). Tasks are short: whoever has more to do than a millisecond's work does it in slices of
 * its own. What is due is found by the steady clock: when the system's is set back, nothing rests
 * until it has caught up. Tasks are told the system's.
 */

interface Task {
  readonly periodMs: number;
  readonly run: (nowMs: number) => void;
  /** By the steady clock. */
  nextMs: number;
}

export class Cron {
  private readonly tasks: Task[] = [];
  private timer: NodeJS.Timeout | null = null;
  /** DEBUG PAUSE-CRON. */
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
