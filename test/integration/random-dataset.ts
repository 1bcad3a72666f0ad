/**
 * Random datasets, written through commands that every Redis knows: several databases, all types
 * that the server has, small and large encodings, binary values, expiry far away.
 */
import type { Random } from '../support/random.ts';
import type { Argument, RawClient } from '../support/raw-client.ts';
import { ReplyError } from '../support/resp-reader.ts';

const DATABASES = [0, 1, 7];
const DAY_MS = 86_400_000;
const BATCH = 500;
const LENGTHS = [0, 1, 5, 20, 43, 44, 45, 63, 64, 65, 300, 9000];
const ELEMENT_LENGTHS = [0, 1, 2, 3, 5, 8, 20];
/** An element this long makes any compact encoding give way. */
const LONG_ELEMENT_CHANCE = 0.002;

type Maker = (random: Random, key: string) => Argument[][];

const number = (random: Random): string => `${random.between(-1e6, 1e6)}`;

/** Text, digits or bytes, of a length that meets every encoding. */
function value(random: Random, lengths = LENGTHS): Argument {
  const length = random.pick(lengths);
  if (random.chance(0.3)) return number(random);
  if (random.chance(0.3)) return 'ab'.repeat(length / 2);
  return random.bytes(length);
}

function element(random: Random): Argument {
  return value(random, random.chance(LONG_ELEMENT_CHANCE) ? LENGTHS : ELEMENT_LENGTHS);
}

const members = (random: Random): number => random.pick([1, 3, 20, 127, 128, 129, 512, 700]);

/** One command with many arguments made by `make`. */
function many(random: Random, name: string, key: string, make: () => Argument[]): Argument[][] {
  const count = members(random);
  return [[name, key, ...Array.from({ length: count }, make).flat()]];
}

const MAKERS: Readonly<Record<string, Maker>> = {
  SET: (random, key) => [['SET', key, value(random)]],
  APPEND: (random, key) => [
    ['APPEND', key, value(random)],
    ['APPEND', key, value(random)],
  ],
  INCRBY: (random, key) => [['INCRBY', key, number(random)]],
  SETBIT: (random, key) => [['SETBIT', key, random.between(0, 5000), 1]],
  HSET: (random, key) => many(random, 'HSET', key, () => [element(random), element(random)]),
  HINCRBY: (random, key) => many(random, 'HMSET', key, () => [number(random), number(random)]),
  SADD: (random, key) =>
    random.chance(0.5)
      ? many(random, 'SADD', key, () => [number(random)])
      : many(random, 'SADD', key, () => [element(random)]),
  RPUSH: (random, key) => many(random, 'RPUSH', key, () => [element(random)]),
  ZADD: (random, key) =>
    many(random, 'ZADD', key, () => [random.next() * 1e6 - 5e5, element(random)]),
  XADD: (random, key) =>
    Array.from({ length: random.pick([1, 5, 130]) }, () => [
      ...['XADD', key, '*', 'field', element(random), 'other'],
      element(random),
    ]),
};

/** Which of the generator's commands a server has. */
export async function knownMakers(client: RawClient): Promise<string[]> {
  const names = Object.keys(MAKERS);
  const infos = await client.value('COMMAND', 'INFO', ...names);
  return names.filter((_, i) => Array.isArray(infos) && infos[i] !== null);
}

/** Writes about `keys` keys, changing or deleting some of them again. */
export async function writeDataset(
  client: RawClient,
  random: Random,
  keys: number,
  makers: readonly string[],
): Promise<void> {
  for (const database of DATABASES) {
    const commands: Argument[][] = [['SELECT', database]];
    for (let i = 0; i < keys / DATABASES.length; i++) {
      const name = random.pick(makers);
      // Keys of one name meet again in the next call: values change in place.
      const key = `${name}:${random.between(0, keys)}`;
      commands.push(...(MAKERS[name]?.(random, key) ?? []));
      if (random.chance(0.25)) commands.push(['PEXPIREAT', key, farAway(random)]);
      if (random.chance(0.05)) commands.push(['PERSIST', key]);
      if (random.chance(0.05)) commands.push(['DEL', key]);
      if (random.chance(0.03))
        commands.push(['MULTI'], ['SET', `m${i}`, i], ['DEL', key], ['EXEC']);
    }
    for (let i = 0; i < commands.length; i += BATCH) {
      const replies = await client.pipeline(commands.slice(i, i + BATCH));
      const refused = replies.findIndex(({ value: reply }) => reply instanceof ReplyError);
      if (refused >= 0) {
        const words = JSON.stringify(commands[i + refused]).slice(0, 200);
        throw new Error(`${words} was answered ${replies[refused]?.raw.toString('latin1')}`);
      }
    }
  }
  await client.send('SELECT', 0);
}

function farAway(random: Random): number {
  return Date.now() + DAY_MS + random.between(0, 1000 * DAY_MS);
}
