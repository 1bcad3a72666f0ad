/**
 * How the process looks to the operating system: its title in the process list, and the kernel's
 * readiness to kill it when memory runs out.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { errorReason } from '../config/system-error.ts';
import { formatTitle } from '../config/title-template.ts';
import type { Logger } from '../log.ts';

/** Sets the title now and whenever its template changes. */
export function keepProcessTitle(config: Config): void {
  if (!config.values.setProcTitle) return;
  const update = (): undefined => {
    process.title = processTitle(config);
  };
  config.onChange('proc-title-template', update);
  config.onChange('port', update);
  config.onChange('bind', update);
  update();
}

/** The title for the present configuration. */
export function processTitle(config: Config): string {
  const { values } = config;
  const address = values.bind[0] ?? '*';
  const port = values.port === 0 ? values.tlsPort : values.port;
  return formatTitle(values.procTitleTemplate, {
    title: 'cairn-server',
    'listen-addr': port === 0 ? values.unixsocket : `${address}:${port}`,
    'server-mode': '',
    port: String(values.port),
    'tls-port': String(values.tlsPort),
    unixsocket: values.unixsocket,
    'config-file': config.file ?? '',
  });
}

const oomFile = (pid: number): string => `/proc/${pid}/oom_score_adj`;
const OOM_MAX = 1000;

const OOM_FAILED = 'Failed to set current oom_score_adj. Check server logs.';

/** The child process that writes snapshots, as far as the kernel's readiness concerns it. */
export interface ScoredChild {
  /** The id of the child; 0 while there is none. */
  readonly pid: number;
  /** Called when there is a new child, which has the score of the server. */
  onStart: () => void;
}

/**
 * Sets `oom-score-adj` now and whenever it changes, for the server and for its child; gives what
 * sets it anew when the server turns into a replica or a primary. Switched off, it puts back what
 * was found when it was switched on.
 */
export function keepOomScore(
  config: Config,
  log: Logger,
  isReplica: () => boolean,
  child: ScoredChild,
): () => void {
  let start: number | undefined;
  const apply = (): string | undefined => {
    const { oomScoreAdj, oomScoreAdjValues } = config.values;
    if (oomScoreAdj === 'no' && start === undefined) return undefined;
    try {
      start ??= Number(readFileSync(oomFile(process.pid), 'utf8'));
      const [primary = 0, replica = 0, ofChild = 0] = oomScoreAdjValues;
      const own = oomScore(oomScoreAdj, start, isReplica() ? replica : primary);
      writeFileSync(oomFile(process.pid), String(own));
      if (child.pid !== 0) {
        writeFileSync(oomFile(child.pid), String(oomScore(oomScoreAdj, start, ofChild)));
      }
      if (oomScoreAdj === 'no') start = undefined;
      return undefined;
    } catch (error) {
      log.warning(`Unable to write oom_score_adj: ${errorReason(error)}`);
      return OOM_FAILED;
    }
  };
  config.onChange('oom-score-adj', apply);
  config.onChange('oom-score-adj-values', apply);
  child.onStart = apply;
  apply();
  return apply;
}

/** The score for a mode, the process's score at its start, and the value of its role. */
export function oomScore(mode: 'no' | 'yes' | 'absolute', start: number, value: number): number {
  if (mode === 'no') return start;
  const score = mode === 'absolute' ? value : start + value;
  return Math.max(-OOM_MAX, Math.min(OOM_MAX, score));
}
