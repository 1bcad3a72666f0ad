/**
 * DEBUG PROTOCOL: a sample reply of each type, for tests of client libraries.
 */
import { latin1Bytes } from '../../core/text/latin1.ts';
import type { Context } from '../dispatch/context.ts';

const NAMES = 'string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false';
const ATTRIBUTE = latin1Bytes('|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n');

const SAMPLES: Readonly<Record<string, (c: Context) => void>> = {
  string: ({ reply }) => reply.bulkText('Hello World'),
  integer: ({ reply }) => reply.integer(12345),
  double: ({ reply }) => reply.doubleText('3.141'),
  bignum: ({ reply }) => reply.bigNumber('1234567999999999999999999999999999999'),
  null: ({ reply }) => reply.null(),
  array: ({ reply }) => {
    reply.array(3);
    for (let i = 0; i < 3; i++) reply.integer(i);
  },
  set: ({ reply }) => {
    reply.set(3);
    for (let i = 0; i < 3; i++) reply.integer(i);
  },
  map: ({ reply }) => {
    reply.map(3);
    for (let i = 0; i < 3; i++) {
      reply.integer(i);
      reply.boolean(i === 1);
    }
  },
  attrib: ({ reply }) => {
    if (reply.protocol === 3) reply.raw(ATTRIBUTE);
    reply.bulkText('Some real reply following the attribute');
  },
  push: ({ client, reply, services }) => {
    if (reply.protocol !== 3) {
      reply.error('ERR RESP2 is not supported by this command');
      return;
    }
    // Its text is from when the push came first.
    reply.bulkText('Some real reply following the push reply');
    services.dispatcher.afterThis(() => {
      client.beginPush();
      reply.push(2);
      reply.bulkText('server-cpu-usage');
      reply.integer(42);
      client.endPush();
    });
  },
  verbatim: ({ reply }) => reply.verbatim('txt', 'This is a verbatim\nstring'),
  true: ({ reply }) => reply.boolean(true),
  false: ({ reply }) => reply.boolean(false),
};

export function debugProtocol(c: Context): void {
  const sample = SAMPLES[c.args.text(2).toLowerCase()];
  if (sample !== undefined) sample(c);
  else {
    c.reply.error(`ERR Wrong protocol type name. Please use one of the following: ${NAMES}`);
  }
}
