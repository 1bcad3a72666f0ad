/** Runs a command-line tool inside the test: what it printed, asked and told of its progress. */
import type { ToolIo } from '../../../src/server/cli/tool-io.ts';

export interface Outcome {
  readonly code: number;
  /** What it printed or wrote on standard output, and on standard error. */
  readonly out: string;
  readonly err: string;
  /** How often it asked. */
  readonly asked: number;
  readonly told: readonly (readonly [done: number, total: number])[];
}

interface Manners {
  /** What is answered to its questions; default no. */
  readonly answer?: boolean;
  /** Called at each look at how far it is. */
  readonly onRead?: (() => void) | undefined;
}

export async function outcomeOf(
  run: (io: ToolIo) => Promise<number>,
  { answer = false, onRead = () => {} }: Manners = {},
): Promise<Outcome> {
  const told: [number, number][] = [];
  let [out, err, asked] = ['', '', 0];
  const code = await run({
    print: (line) => {
      out += line;
    },
    write: (bytes, length) => {
      out += Buffer.from(bytes.subarray(0, length)).toString('utf8');
    },
    warn: (line) => {
      err += line;
    },
    progress:
      () =>
      (...at) => {
        told.push(at);
        onRead();
      },
    confirm: async () => {
      asked++;
      return answer;
    },
  });
  return { code, out, err, asked, told };
}
