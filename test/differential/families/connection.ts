/** What belongs to a connection: PING, ECHO, HELLO, RESET, CLIENT, AUTH, and unknown commands. */
import type { Random } from '../../support/random.ts';
import { command, marked } from '../command.ts';
import { masking, sameKind } from '../comparators.ts';
import type { Draft, Family, Generator } from '../step.ts';
import { stringValue, word } from '../values.ts';

/** HELLO's reply names the server's version and the connection's number. */
const hello = masking(/(?<=version\r\n\$\d+\r\n)[^\r]+|(?<=id\r\n):\d+/g);

function name(random: Random): string {
  return random.pick(['me', 'a-b_c.d', '', 'with space', 'x\n', 'caf\xc3\xa9', 'x'.repeat(50)]);
}

function wrongHello(random: Random): string[] {
  return random.pick([
    ...[['1'], ['4'], ['x'], [''], ['2', 'FOO'], ['3', 'AUTH'], ['3', 'AUTH', 'default']],
    ...[['2', 'SETNAME', 'with space'], ['3', 'AUTH', 'nobody', 'secret'], ['-1'], ['3.0']],
  ]);
}

/** RESET falls back to RESP2, so a RESP3 run says HELLO again. */
const reset: Generator = {
  name: 'RESET',
  weight: 1,
  mangle: false,
  alone: true,
  make: ({ random, protocol }): Draft[] => [
    { args: [word(random, 'RESET')] },
    ...(protocol === 3 ? [{ args: ['HELLO', '3'], compare: hello }] : []),
  ],
};

const helloAgain: Generator = {
  name: 'HELLO',
  weight: 1,
  mangle: false,
  make: ({ random, protocol }): Draft => {
    const options = random.chance(0.3) ? [word(random, 'SETNAME'), 'me'] : [];
    const version = random.chance(0.7) ? [String(protocol), ...options] : [];
    return { args: [word(random, 'HELLO'), ...version], compare: hello };
  },
};

const quit: Generator = {
  name: 'QUIT',
  weight: 0.3,
  mangle: false,
  alone: true,
  make: ({ random }): Draft => ({ args: [word(random, 'QUIT')], closes: true }),
};

function unknown(random: Random): string[] {
  return [
    random.pick(['FOO', 'foo', 'GETT', '', 'x'.repeat(150), 'a\r\nb', 'config|get', 'GET ']),
    ...random.list(0, 5, () => random.pick(['a', 'bc', '', 'y'.repeat(60), '\r\n', "it's"])),
  ];
}

const wrongClient = [
  ...[
    [],
    ['FOO'],
    ['ID', 'x'],
    ['SETNAME'],
    ['REPLY', 'FOO'],
    ['REPLY'],
    ['KILL'],
    ['LIST', 'FOO'],
  ],
  ...[
    ['KILL', 'ID', 'x'],
    ['KILL', 'FOO', 'bar'],
    ['KILL', '1.2.3.4:5'],
    ['UNBLOCK', '0', 'FOO'],
  ],
  ...[
    ['UNBLOCK', 'x'],
    ['UNBLOCK', '9999999'],
    ['NO-EVICT', 'FOO'],
    ['TRACKING', 'FOO'],
  ],
  ...[
    ['CACHING', 'YES'],
    ['CACHING', 'FOO'],
    ['LIST', 'TYPE', 'foo'],
    ['LIST', 'ID', 'x'],
  ],
  ...[
    ['KILL', 'ID', '9999999'],
    ['PAUSE', 'x'],
    ['PAUSE', '0', 'FOO'],
    ['TRACKING', 'ON', 'FOO'],
  ],
];

export const connectionFamily: Family = {
  name: 'connection',
  generators: [
    command('PING', 3, (r) => r.list(0, 1, () => stringValue(r))),
    command('ECHO', 3, (r) => [stringValue(r)]),
    command('CLIENT SETNAME', 2, (r) => [name(r)]),
    command('CLIENT GETNAME', 2, () => []),
    command('CLIENT ID', 1, () => [], sameKind),
    command('CLIENT NO-EVICT', 1, (r) => [r.pick(['ON', 'OFF', 'on'])]),
    command('CLIENT GETREDIR', 1, () => []),
    command('CLIENT TRACKINGINFO', 1, () => []),
    command('CLIENT UNPAUSE', 0.5, () => []),
    command('CLIENT INFO', 0.5, () => [], sameKind),
    marked(
      command('CLIENT', 3, (r) => [r.pick(wrongClient)]),
      { mangle: false },
    ),
    command('AUTH', 1, (r) => r.list(0, 3, () => r.pick(['default', 'secret', 'nobody', '']))),
    marked(
      command('HELLO', 1, (r) => [wrongHello(r)], hello),
      { mangle: false },
    ),
    helloAgain,
    reset,
    quit,
    command('', 2, (r) => [unknown(r)]),
  ],
};
