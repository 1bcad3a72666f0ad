/**
 * Prints steps as lines that redis-cli takes: words as they are, everything else in double quotes
 * with the escapes that redis-cli reads. A line of another connection says so in a comment.
 */
import type { Step } from './step.ts';

const escapes: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
  '"': '\\"',
};

function escaped(char: string): string {
  const code = char.charCodeAt(0);
  const plain = code >= 32 && code < 127;
  return escapes[char] ?? (plain ? char : `\\x${code.toString(16).padStart(2, '0')}`);
}

/** One argument as redis-cli reads it. */
export function printArgument(text: string): string {
  if (/^[\w:.,*+@{}()[\]?!<>=~^$-]+$/.test(text)) return text;
  return `"${[...text].map(escaped).join('')}"`;
}

/** Steps as redis-cli lines, those of the second connection marked. */
export function printSteps(steps: readonly Step[]): string {
  return steps
    .map((step) => {
      const line = step.args.map(printArgument).join(' ');
      return step.connection === 0 ? line : `${line}     # second connection`;
    })
    .join('\n');
}

/** A reply for reading: escaped bytes, cut when long. */
export function printReply(raw: Buffer): string {
  const text = raw.toString('latin1');
  const cut = text.length > 600 ? `${text.slice(0, 600)}... (${text.length} bytes)` : text;
  return [...cut].map(escaped).join('');
}
