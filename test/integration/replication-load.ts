/**
 * A load for replication tests: writes of all kinds that this family of tests relies on, among them
 * transactions, expiries, other databases and values of all sizes. Everything is decided by a seed.
 */
import type { Redis } from 'ioredis';
import { Random } from '../support/random.ts';

const KEYS = 400;

export class Load {
  readonly #client: Redis;
  readonly #random: Random;
  #running: Promise<void> | null = null;
  #stopped = false;
  commands = 0;

  constructor(client: Redis, seed: number) {
    this.#client = client;
    this.#random = new Random(seed);
  }

  start(): void {
    this.#stopped = false;
    this.#running = this.#run();
    this.#running.catch(() => undefined);
  }

  /** Ends; rejects when a write failed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** One round of about 50 commands. */
  async round(): Promise<void> {
    const random = this.#random;
    const pipeline = this.#client.pipeline();
    if (random.chance(0.1)) pipeline.select(random.between(0, 3));
    for (let i = 0; i < 50; i++) this.#add(pipeline, random);
    const results = await pipeline.exec();
    for (const [error] of results ?? []) {
      if (error !== null && !/WRONGTYPE|not an integer|EXECABORT/.test(error.message)) throw error;
    }
    this.commands += 50;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.round();
      await new Promise((resolve) => setTimeout(resolve, this.#random.between(0, 3)));
    }
  }

  #add(pipeline: ReturnType<Redis['pipeline']>, random: Random): void {
    const name = (kind: string): string => `${kind}:${random.between(0, KEYS)}`;
    const value = (): string => {
      const size = random.chance(0.02) ? random.between(5000, 60_000) : random.between(0, 60);
      return random.bytes(Math.min(size, 300)).repeat(Math.ceil(size / 300) || 1);
    };
    switch (random.between(0, 11)) {
      case 0:
      case 1:
        pipeline.set(name('s'), Buffer.from(value(), 'latin1'));
        break;
      case 2:
        pipeline.incr(name('n'));
        break;
      case 3:
        pipeline.hset(name('h'), `f${random.between(0, 200)}`, Buffer.from(value(), 'latin1'));
        break;
      case 4:
        pipeline.sadd(name('t'), `m${random.between(0, 700)}`, random.between(0, 9999));
        break;
      case 5:
        pipeline.spop(name('t'));
        break;
      case 6:
        pipeline.del(name(random.pick(['s', 'n', 'h', 't'])));
        break;
      case 7:
        pipeline.append(name('s'), 'tail');
        break;
      case 8:
        pipeline.pexpire(name(random.pick(['s', 'n'])), random.between(1, 3000));
        break;
      case 9:
        pipeline.call('multi').incr(name('n')).hincrby(name('c'), 'f', 3).set(name('s'), 'x');
        pipeline.call('exec');
        break;
      case 10:
        pipeline.set(name('s'), 'short', 'PX', random.between(1, 400));
        break;
      default:
        pipeline.hdel(name('h'), `f${random.between(0, 200)}`);
    }
  }
}
