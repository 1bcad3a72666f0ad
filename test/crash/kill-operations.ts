/**
 * The operations that a client of the crash tests chooses from.
 */
import type { Random } from '../support/random.ts';
import type { Words } from './kill-model.ts';

/** Commands that some build may lack: their operations are left out then. */
export const OPTIONAL_COMMANDS = ['HSET', 'SADD', 'RPUSH', 'ZADD', 'XADD'] as const;

const KEYS_OF_A_KIND = 8;
const LARGE_BYTES_MAX = 200_000;
const DAY_MS = 86_400_000;

export class OperationSource {
  readonly #random: Random;
  readonly #prefix: string;
  readonly #ownsDatabase: boolean;
  readonly #keysOfAKind: number;
  readonly #kinds: readonly ((source: OperationSource) => Words)[];
  #number = 0;
  #entryIds = 0;

  /** `ownsDatabase`: no other client's keys are there, so it may be flushed. */
  constructor(
    random: Random,
    prefix: string,
    ownsDatabase: boolean,
    commands: ReadonlySet<string>,
    keysOfAKind = KEYS_OF_A_KIND,
  ) {
    this.#random = random;
    this.#prefix = prefix;
    this.#ownsDatabase = ownsDatabase;
    this.#keysOfAKind = keysOfAKind;
    this.#kinds = [
      ...stringOperations,
      ...(commands.has('HSET') ? hashOperations : []),
      ...(commands.has('SADD') ? setOperations : []),
      ...(commands.has('RPUSH') ? listOperations : []),
      ...(commands.has('ZADD') ? sortedSetOperations : []),
      ...(commands.has('XADD') ? streamOperations : []),
    ];
  }

  /** The commands of the next operation; several make a transaction. */
  next(): Words[] {
    this.#number++;
    if (this.#ownsDatabase && this.#random.chance(0.002)) {
      return [this.#random.chance(0.5) ? ['FLUSHDB'] : ['FLUSHDB', 'ASYNC']];
    }
    const count = this.#random.chance(0.15) ? this.#random.between(2, 5) : 1;
    return Array.from({ length: count }, () => this.#random.pick(this.#kinds)(this));
  }

  key(kind: string): string {
    return `${this.#prefix}${kind}${this.#random.between(0, this.#keysOfAKind - 1)}`;
  }

  /** A text that no other operation of this client writes, now and then a large one. */
  text(): string {
    const random = this.#random;
    const large = random.chance(0.004) ? random.between(10_000, LARGE_BYTES_MAX) : 0;
    const padding = large > 0 ? large : random.between(0, 40);
    return `${this.#number}.${random.between(0, 1e9)}${'x'.repeat(padding)}`;
  }

  /** An entry id larger than all before. */
  entryId(): string {
    return `${++this.#entryIds}-1`;
  }

  small(): string {
    return `${this.#random.between(0, 9)}`;
  }

  /** A moment long after the test. */
  later(): string {
    return `${Date.now() + DAY_MS + this.#random.between(0, DAY_MS)}`;
  }

  /** A moment while the test goes on. */
  soon(): string {
    return `${Date.now() + this.#random.between(5, 800)}`;
  }
}

const stringOperations: readonly ((s: OperationSource) => Words)[] = [
  (s) => ['SET', s.key('s'), s.text()],
  (s) => ['SET', s.key('s'), s.text()],
  (s) => ['SET', s.key('s'), s.text(), 'PXAT', s.later()],
  (s) => ['SET', s.key('t'), s.text(), 'PXAT', s.soon()],
  (s) => ['DEL', s.key('t')],
  (s) => ['APPEND', s.key('s'), s.small()],
  (s) => ['INCRBY', s.key('n'), s.small()],
  (s) => ['INCRBY', s.key('n'), s.small()],
  (s) => ['DEL', s.key('s'), s.key('s'), s.key('n')],
  (s) => ['UNLINK', s.key('s')],
  (s) => ['PEXPIREAT', s.key('s'), s.later()],
  (s) => ['EXPIRE', s.key('n'), `8640${s.small()}`],
  (s) => ['PERSIST', s.key('s')],
  (s) => ['RENAME', s.key('s'), s.key('s')],
];

const hashOperations: readonly ((s: OperationSource) => Words)[] = [
  (s) => ['HSET', s.key('h'), s.small(), s.text()],
  (s) => ['HSET', s.key('h'), s.text().slice(0, 12), s.small()],
  (s) => ['HINCRBY', s.key('h'), 'count', s.small()],
  (s) => ['HDEL', s.key('h'), s.small()],
  (s) => ['DEL', s.key('h')],
];

const setOperations: readonly ((s: OperationSource) => Words)[] = [
  (s) => ['SADD', s.key('e'), s.small()],
  (s) => ['SADD', s.key('e'), s.text().slice(0, 12)],
  (s) => ['SREM', s.key('e'), s.small()],
  (s) => ['DEL', s.key('e')],
];

const listOperations: readonly ((s: OperationSource) => Words)[] = [
  (s) => ['RPUSH', s.key('l'), s.text()],
  (s) => ['LPUSH', s.key('l'), s.text()],
  (s) => ['LPOP', s.key('l')],
  (s) => ['LTRIM', s.key('l'), '0', '20'],
];

const sortedSetOperations: readonly ((s: OperationSource) => Words)[] = [
  (s) => ['ZADD', s.key('z'), s.small(), s.small()],
  (s) => ['ZADD', s.key('z'), s.small(), s.text().slice(0, 12)],
  (s) => ['ZINCRBY', s.key('z'), s.small(), s.small()],
  (s) => ['ZREM', s.key('z'), s.small()],
  (s) => ['DEL', s.key('z')],
];

const streamOperations: readonly ((s: OperationSource) => Words)[] = [
  (s) => {
    const text = s.text();
    return ['XADD', s.key('x'), s.entryId(), text, text];
  },
  (s) => ['XADD', s.key('x'), s.entryId(), 'field', 'field'],
  (s) => ['XTRIM', s.key('x'), 'MAXLEN', '30'],
  (s) => ['DEL', s.key('x')],
];
