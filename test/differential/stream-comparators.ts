/**
 * What XINFO tells, compared with a server that does not yet know when a consumer was active, and
 * that makes a consumer only when there is something for it: consumers without anything pending,
 * their number and all times are left out.
 */
import { splitReply } from '../support/resp-reader.ts';
import type { Comparator } from './step.ts';

type Node = string | Node[];

function nodeOf(raw: Buffer): Node {
  const { children } = splitReply(raw);
  return children.length > 0 ? children.map(nodeOf) : raw.toString('latin1');
}

const wordOf = (node: Node): string =>
  typeof node === 'string' ? (/^\$\d+\r\n([a-z-]+)\r\n$/.exec(node)?.[1] ?? '') : '';

const timed = ['idle', 'inactive', 'seen-time', 'active-time'];

/** The fields of a map, flat as RESP2 has them, by name. */
function fieldsOf(node: Node): Map<string, Node> {
  const fields = new Map<string, Node>();
  if (typeof node === 'string' || wordOf(node[0] ?? '') !== 'name') return fields;
  for (let i = 0; i + 1 < node.length; i += 2) fields.set(wordOf(node[i]!), node[i + 1]!);
  return fields;
}

/** Whether a node tells of a consumer for whom nothing is pending. */
function isIdler(node: Node): boolean {
  const fields = fieldsOf(node);
  if (!fields.has('idle') && !fields.has('seen-time')) return false;
  return (fields.get('pel-count') ?? fields.get('pending')) === ':0\r\n';
}

function reduced(node: Node): Node {
  if (typeof node === 'string') return /^:\d{13}\r\n$/.test(node) ? 'time' : node;
  const fields = fieldsOf(node);
  if (fields.size === 0) return node.filter((one) => !isIdler(one)).map(reduced);
  const kept: Node[] = [];
  for (const [name, value] of fields) {
    if (timed.includes(name)) continue;
    const isNumber = name === 'consumers' && typeof value === 'string' && value[0] === ':';
    const some = typeof value === 'string' || value.some((one) => !isIdler(one)) ? value : [];
    kept.push(name, isNumber ? 'some' : reduced(some));
  }
  return kept;
}

/** An array that lost all its elements is as good as one that had none. */
function shown(raw: Buffer): string {
  return JSON.stringify(reduced(nodeOf(raw)))
    .replaceAll('"*0\\r\\n"', '[]')
    .replaceAll('"%0\\r\\n"', '[]');
}

export const consumersAtWork: Comparator = {
  name: 'consumers at work',
  same: (left, right) => shown(left) === shown(right),
};
