/**
 * Runs one sequence of steps against two servers and reports the first difference.
 *
 *   steps:   s0 s1 s2 | s3 | s4 s5 ... s99 | checkpoint | s100 ...
 *            one pipeline  one connection      digest, keys, types, encodings, expiry
 *                          each batch
 *
 * Both servers get each batch at the same time; nothing in a step depends on an earlier reply, so
 * cutting steps out (see shrink) leaves a sequence that still makes sense. A transaction's replies
 * arrive inside EXEC's: each is compared as the command that was queued would be.
 */
import { splitReply } from '../support/resp-reader.ts';
import { compareState } from './checkpoint.ts';
import { exact } from './comparators.ts';
import { knownDifferenceOf } from './known-differences.ts';
import { printReply } from './print.ts';
import type { Step } from './step.ts';
import type { Answer, Target } from './target.ts';

export type Difference = {
  /** Index of the step whose reply differed, or of the last one before the checkpoint. */
  readonly at: number;
  /** What differed, in words, with both replies. */
  readonly text: string;
};

export type RunOptions = {
  readonly protocol: 2 | 3;
  readonly setup: readonly (readonly string[])[];
  /** Steps between two checkpoints; one more follows the last step. */
  readonly checkpointEvery: number;
  /** Counts by id how often a known difference was met. */
  readonly known?: Map<string, number>;
};

const batchMax = 24;

/** Follows MULTI on each connection, from the replies of the oracle. */
class TransactionTracker {
  readonly #queues: (Step[] | null)[] = [null, null];

  queued(connection: number): readonly Step[] | null {
    return this.#queues[connection] ?? null;
  }

  observe(step: Step, reply: string): void {
    const command = step.args[0]?.toLowerCase();
    const queue = this.#queues[step.connection];
    if (reply === '+QUEUED\r\n') queue?.push(step);
    else if (command === 'multi' && reply === '+OK\r\n') this.#queues[step.connection] = [];
    else if (/^(exec|discard|reset|quit)$/.test(command ?? '')) {
      if (!reply.startsWith('-ERR')) this.#queues[step.connection] = null;
    }
  }
}

type Judge = { readonly known: Map<string, number> | undefined };

function sameReply(step: Step, left: Buffer, right: Buffer, judge: Judge): boolean {
  if (left.equals(right)) return true;
  const refused = left[0] === 0x2d || right[0] === 0x2d;
  const comparator = refused ? exact : (step.compare ?? exact);
  if (comparator.same(left, right)) return true;
  const known = knownDifferenceOf(step, left, right);
  if (known === null) return false;
  judge.known?.set(known.id, (judge.known.get(known.id) ?? 0) + 1);
  return true;
}

/** EXEC's replies, each as the command that it answers. */
function sameExec(queue: readonly Step[], left: Buffer, right: Buffer, judge: Judge): boolean {
  if (left.equals(right)) return true;
  const a = splitReply(left);
  const b = splitReply(right);
  if (!a.head.equals(b.head) || a.children.length !== queue.length) return false;
  return queue.every((step, i) => {
    const [mine, theirs] = [a.children[i], b.children[i]];
    return mine !== undefined && theirs !== undefined && sameReply(step, mine, theirs, judge);
  });
}

function sameAnswer(
  step: Step,
  left: Answer,
  right: Answer,
  queue: readonly Step[] | null,
  judge: Judge,
): boolean {
  if (left instanceof Error || right instanceof Error) return false;
  const isExec = step.args[0]?.toLowerCase() === 'exec' && queue !== null;
  return isExec && left[0] === 0x2a
    ? sameExec(queue, left, right, judge)
    : sameReply(step, left, right, judge);
}

function describe(step: Step, left: Target, right: Target, answers: [Answer, Answer]): string {
  const show = (answer: Answer) =>
    answer instanceof Error ? `(no reply: ${answer.message})` : printReply(answer);
  const width = Math.max(left.name.length, right.name.length);
  return [
    `replies differ (compared: ${step.compare?.name ?? 'exact'})`,
    `  ${left.name.padEnd(width)}  ${show(answers[0])}`,
    `  ${right.name.padEnd(width)}  ${show(answers[1])}`,
  ].join('\n');
}

/** The end of the batch that starts at `start`: one connection, nothing that must stand alone. */
function batchEnd(steps: readonly Step[], start: number, limit: number): number {
  const standsAlone = (step: Step | undefined) => step?.loop !== undefined || step?.closes === true;
  if (standsAlone(steps[start])) return start + 1;
  const longest = Math.min(limit, start + 1 + ((start * 7) % batchMax));
  let end = start + 1;
  while (end < longest && !standsAlone(steps[end])) {
    if (steps[end]?.connection !== steps[start]?.connection) break;
    end++;
  }
  return end;
}

/** Inside a transaction a cursor loop is one queued command like any other. */
function unlooped(step: Step, tracker: TransactionTracker): Step {
  if (step.loop === undefined || tracker.queued(step.connection) === null) return step;
  const { loop: _, ...plain } = step;
  return plain;
}

/** Runs the steps on both servers, emptied first; null when they never differed. */
export async function runSteps(
  steps: readonly Step[],
  left: Target,
  right: Target,
  options: RunOptions,
): Promise<Difference | null> {
  await Promise.all([left, right].map((t) => t.prepare(options.protocol, options.setup)));
  const tracker = new TransactionTracker();
  const judge: Judge = { known: options.known };
  let sinceCheckpoint = 0;
  for (let start = 0; start < steps.length; ) {
    const limit = Math.min(steps.length, start + options.checkpointEvery - sinceCheckpoint);
    const end = batchEnd(steps, start, limit);
    const batch = steps.slice(start, end).map((step) => unlooped(step, tracker));
    const [mine, theirs] = await Promise.all([left.run(batch), right.run(batch)]);
    for (const [i, step] of batch.entries()) {
      const answers: [Answer, Answer] = [mine[i] as Answer, theirs[i] as Answer];
      if (!sameAnswer(step, ...answers, tracker.queued(step.connection), judge)) {
        return { at: start + i, text: describe(step, left, right, answers) };
      }
      tracker.observe(step, String(answers[1]));
    }
    sinceCheckpoint += end - start;
    start = end;
    if (sinceCheckpoint >= options.checkpointEvery || start === steps.length) {
      const text = await compareState(left, right);
      if (text !== null) return { at: start - 1, text };
      sinceCheckpoint = 0;
    }
  }
  return null;
}
