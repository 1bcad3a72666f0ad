/**
 * What a server holds, read with ordinary commands, as the model of the crash tests prints it.
 */
import type { RawClient } from '../support/raw-client.ts';
import type { Reply, ReplyValue } from '../support/resp-reader.ts';
import { contentText, type Observed } from './kill-model.ts';

/** Everything in a database. */
export async function observe(client: RawClient, database: number): Promise<Map<string, Observed>> {
  await client.send('SELECT', database);
  const keys = wordsOf(await client.value('KEYS', '*'));
  const types = await client.pipeline(keys.map((key) => ['TYPE', key]));
  const expiries = await client.pipeline(keys.map((key) => ['PEXPIRETIME', key]));
  const reads = keys.map((key, i) => readCommand(String(types[i]?.value), key));
  const contents = await client.pipeline(reads);
  const observed = new Map<string, Observed>();
  for (const [i, key] of keys.entries()) {
    const content = contentOf(String(types[i]?.value), contents[i]);
    // A key that expired between two commands is gone.
    if (content === null) continue;
    observed.set(key, { content, expireMs: Number(expiries[i]?.value) });
  }
  return observed;
}

function readCommand(type: string, key: string): string[] {
  if (type === 'hash') return ['HGETALL', key];
  if (type === 'set') return ['SMEMBERS', key];
  if (type === 'list') return ['LRANGE', key, '0', '-1'];
  if (type === 'zset') return ['ZRANGE', key, '0', '-1', 'WITHSCORES'];
  if (type === 'stream') return ['XRANGE', key, '-', '+'];
  return ['GET', key];
}

function contentOf(type: string, reply: Reply | undefined): string | null {
  const value = reply?.value ?? null;
  if (value === null) return null;
  if (type === 'stream') return contentText({ items: entriesOf(value) });
  const words = wordsOf(value);
  if (type === 'string') return contentText(String(value));
  if (type === 'list') return contentText(words);
  if (type === 'set') return contentText(new Set(words));
  if (type !== 'hash' && type !== 'zset') return null;
  const pairs = new Map<string, string>();
  for (let i = 0; i + 1 < words.length; i += 2) pairs.set(words[i] ?? '', words[i + 1] ?? '');
  return contentText(type === 'zset' ? { scores: pairs } : pairs);
}

/** The entries of a stream, each as its id and the value of its one field. */
function entriesOf(value: ReplyValue): string[] {
  if (!Array.isArray(value)) return [];
  return value.map((entry) => {
    const [id, fields] = Array.isArray(entry) ? entry : [];
    return `${String(id)} ${wordsOf(fields ?? null)[1] ?? ''}`;
  });
}

function wordsOf(value: ReplyValue): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
