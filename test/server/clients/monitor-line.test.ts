/**
 * What MONITOR shows of each byte, and of arguments that are very long.
 */
import { expect, it } from 'vitest';
import { Args } from '../../../src/core/resp/args.ts';
import { latin1Bytes, latin1Text } from '../../../src/core/text/latin1.ts';
import { monitorLine } from '../../../src/server/clients/monitor-line.ts';
import { quoteArgument } from '../../../src/server/config/byte-string.ts';

function argsOf(...words: string[]): Args {
  const args = new Args();
  args.setTo(words.map(latin1Bytes));
  return args;
}

const text = (line: Uint8Array): string => latin1Text(line, 0, line.length);

it('every byte is shown as Redis quotes it', () => {
  const all = latin1Text(
    Uint8Array.from({ length: 256 }, (_, i) => i),
    0,
    256,
  );
  const line = text(monitorLine('12.5 [0 here]', argsOf('set', all, ''), []));
  expect(line).toBe(`+12.5 [0 here] "set" ${quoteArgument(all)} ""\r\n`);
});

it('what is redacted is not shown', () => {
  const line = text(monitorLine('head', argsOf('auth', 'name', 'secret'), [2]));
  expect(line).toBe('+head "auth" "name" "(redacted)"\r\n');
});

it('of very long arguments a part is shown, and how much is left out', () => {
  const args = argsOf('set', 'k\n', 'x'.repeat(30), 'get');
  const line = text(monitorLine('head', args, [], 15));
  const x = 'x'.repeat(10);
  expect(line).toBe(`+head "set" "k\\n" "${x}"... (20 more bytes) ""... (3 more bytes)\r\n`);
});
