/**
 * The handshake against peers that play a primary: what is said in which order, and what every
 * answer leads to.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  FailoverRejectedError,
  FailoverUndecidedError,
  type HandshakeOptions,
  type HandshakeOutcome,
  shakeHands,
} from '../../src/replication/handshake.ts';
import { SocketReader } from '../../src/replication/socket-reader.ts';
import { type PeerConnection, ScriptedPeer } from './scripted-peer.ts';

const ID = 'abcdef0123456789abcdef0123456789abcdef01';
const PLAIN: HandshakeOptions = {
  user: '',
  password: '',
  listeningPort: 7001,
  announceIp: '',
  from: null,
  failover: false,
  timeoutMs: 60_000,
  log: () => undefined,
};

let peer: ScriptedPeer;
let reader: SocketReader | null = null;

beforeEach(async () => {
  peer = await ScriptedPeer.listen();
});

afterEach(async () => {
  reader?.close('the test is over');
  reader = null;
  await peer.close();
});

function shake(options: Partial<HandshakeOptions> = {}): Promise<HandshakeOutcome> {
  reader = new SocketReader({ host: '127.0.0.1', port: peer.port });
  return shakeHands(reader, { ...PLAIN, ...options });
}

/** Plays the part up to PSYNC, and answers that with `reply`; returns what was said. */
async function play(reply: string, commands = 4): Promise<(string | null)[]> {
  const connection = await peer.connection();
  const said: (string | null)[] = [await connection.answer('+PONG\r\n')];
  for (let i = 2; i < commands; i++) said.push(await connection.answer('+OK\r\n'));
  said.push(await connection.answer(reply));
  return said;
}

describe('handshake', () => {
  it('asks for everything when there is nothing to go on from', async () => {
    const outcome = shake();
    expect(await play(`+FULLRESYNC ${ID} 1234\r\n`)).toEqual([
      'PING',
      'REPLCONF listening-port 7001',
      'REPLCONF capa eof capa psync2',
      'PSYNC ? -1',
    ]);
    expect(await outcome).toEqual({ kind: 'full', id: ID, offset: 1234 });
  });

  it('says who it is: user, password, address', async () => {
    const outcome = shake({ user: 'repl', password: 'secret', announceIp: '10.1.2.3' });
    expect(await play(`+FULLRESYNC ${ID} 0\r\n`, 6)).toEqual([
      'PING',
      'AUTH repl secret',
      'REPLCONF listening-port 7001',
      'REPLCONF ip-address 10.1.2.3',
      'REPLCONF capa eof capa psync2',
      'PSYNC ? -1',
    ]);
    await outcome;
  });

  it('authenticates without a user when none is set', async () => {
    const outcome = shake({ password: 'secret' });
    expect((await play(`+FULLRESYNC ${ID} 0\r\n`, 5))[1]).toBe('AUTH secret');
    await outcome;
  });

  it('counts the bytes of a password, not its characters', async () => {
    const outcome = shake({ password: 'pässwörd' });
    const auth = (await play(`+FULLRESYNC ${ID} 0\r\n`, 5))[1] ?? '';
    expect(Buffer.from(auth, 'latin1').toString()).toBe('AUTH pässwörd');
    await outcome;
  });

  it('goes on where it was, under the same or another id', async () => {
    const from = { id: ID, nextByte: 101 };
    let outcome = shake({ from });
    expect((await play('+CONTINUE\r\n')).at(-1)).toBe(`PSYNC ${ID} 101`);
    expect(await outcome).toEqual({ kind: 'continue', id: ID });
    reader?.close('next');
    outcome = shake({ from });
    await play(`+CONTINUE ${'F9'.repeat(20)}\r\n`);
    expect(await outcome).toEqual({ kind: 'continue', id: 'f9'.repeat(20) });
  });

  it('waits through empty lines while the primary prepares', async () => {
    const outcome = shake();
    await play(`\n\n\r\n\n+FULLRESYNC ${ID.toUpperCase()} 7\r\n`);
    expect(await outcome).toEqual({ kind: 'full', id: ID, offset: 7 });
  });

  it.each(['4503599627370497', '9223372036854775000', '1'.repeat(30)])(
    'refuses a stream that cannot be counted on to the byte, from %s',
    async (offset) => {
      const outcome = expect(shake()).rejects.toThrow(offset);
      await play(`+FULLRESYNC ${ID} ${offset}\r\n`);
      await outcome;
    },
  );

  it('takes a primary that does not know REPLCONF, and falls back to SYNC', async () => {
    const outcome = shake();
    const connection = await peer.connection();
    await connection.answer('+PONG\r\n');
    await connection.answer("-ERR unknown command 'REPLCONF'\r\n");
    await connection.answer("-ERR unknown command 'REPLCONF'\r\n");
    await connection.answer("-ERR unknown command 'PSYNC'\r\n");
    expect(await connection.command()).toBe('SYNC');
    expect(await outcome).toEqual({ kind: 'sync' });
  });

  it.each([
    ['-NOAUTH Authentication required.\r\n', true],
    ["-NOPERM this user has no permissions to run the 'ping' command\r\n", true],
    ['-ERR operation not permitted\r\n', true],
    ['-LOADING busy\r\n', false],
    ["-ERR Can't execute\r\n", false],
  ])('treats %j as an answer to PING', async (reply, fine) => {
    const outcome = shake();
    const settled = outcome.then(
      () => 'done',
      (error: Error) => error.message,
    );
    const connection = await peer.connection();
    await connection.answer(reply);
    if (fine) {
      expect(await connection.command()).toContain('REPLCONF');
      connection.close();
    }
    expect(await settled).toContain(fine ? 'closed' : 'Error reply to PING');
  });

  it.each([
    ['-NOMASTERLINK no\r\n', 'currently unable to PSYNC'],
    ['-LOADING no\r\n', 'currently unable to PSYNC'],
    ['+FULLRESYNC short 5\r\n', 'wrong +FULLRESYNC syntax'],
    [`+FULLRESYNC ${ID}\r\n`, 'wrong +FULLRESYNC syntax'],
    ['+CONTINUE\r\n', 'Unexpected reply'],
    ['+HELLO\r\n', 'Unexpected reply'],
  ])('gives up for now at %j', async (reply, message) => {
    const outcome = shake().catch((error: Error) => error.message);
    await play(reply);
    expect(await outcome).toContain(message);
  });

  it('tells a wrong password apart', async () => {
    const outcome = shake({ password: 'wrong' }).catch((error: Error) => error.message);
    const connection = await peer.connection();
    await connection.answer('-NOAUTH Authentication required.\r\n');
    await connection.answer('-WRONGPASS invalid username-password pair\r\n');
    expect(await outcome).toContain('Unable to AUTH to MASTER: -WRONGPASS');
  });

  it.each([["-ERR PSYNC FAILOVER can't be sent to a master.\r\n"], ['-LOADING no\r\n']])(
    'asks a replica to take over, and tells when it refuses: %j',
    async (refusal) => {
      const outcome = shake({ failover: true, from: { id: ID, nextByte: 1 } }).catch(
        (error: unknown) => error,
      );
      expect((await play(refusal)).at(-1)).toBe(`PSYNC ${ID} 1 FAILOVER`);
      expect(await outcome).toBeInstanceOf(FailoverRejectedError);
    },
  );

  const HAND_OVER = { failover: true, from: { id: ID, nextByte: 101 } };
  const PRIMARY = "-ERR PSYNC FAILOVER can't be sent to a master.\r\n";

  it.each([['+FULLRESYNC short 5\r\n'], [`+FULLRESYNC ${ID} 9007199254740993\r\n`], [null]])(
    'does not know whether the peer has taken over when its answer is %j',
    async (answer) => {
      const outcome = shake(HAND_OVER).catch((error: unknown) => error);
      if (answer === null) {
        await play('\r\n');
        reader?.socket.destroy();
      } else await play(answer);
      expect(await outcome).toBeInstanceOf(FailoverUndecidedError);
    },
  );

  it.each([
    [`+CONTINUE ${'b'.repeat(40)}\r\n`, { kind: 'continue', id: 'b'.repeat(40) }],
    [`+FULLRESYNC ${'b'.repeat(40)} 300\r\n`, FailoverRejectedError],
    ['-ERR no\r\n', FailoverRejectedError],
    ['-LOADING no\r\n', FailoverUndecidedError],
  ])('has a primary whose first answer was lost show that it is the heir: %j', async (...one) => {
    const [answer, expected] = one;
    const outcome = shake({ ...HAND_OVER, isUndecided: true }).catch((error: unknown) => error);
    const connection = await peer.connection();
    for (const reply of ['+PONG\r\n', '+OK\r\n', '+OK\r\n', PRIMARY]) {
      await connection.answer(reply);
    }
    expect(await connection.answer(answer)).toBe(`PSYNC ${ID} 101`);
    if (typeof expected === 'function') expect(await outcome).toBeInstanceOf(expected);
    else expect(await outcome).toEqual(expected);
  });

  it.each([
    [`+FULLRESYNC ${ID} 50\r\n`, { kind: 'full', id: ID, offset: 50 }],
    ['-ERR PSYNC FAILOVER replid must match my replid.\r\n', FailoverRejectedError],
    ['-NOMASTERLINK no\r\n', FailoverUndecidedError],
  ])('asks a second time whether the peer takes over: %j', async (answer, expected) => {
    const outcome = shake({ ...HAND_OVER, isUndecided: true }).catch((error: unknown) => error);
    expect((await play(answer)).at(-1)).toBe(`PSYNC ${ID} 101 FAILOVER`);
    if (typeof expected === 'function') expect(await outcome).toBeInstanceOf(expected);
    else expect(await outcome).toEqual(expected);
  });

  it('gives up a primary that says nothing', async () => {
    const outcome = shake({ timeoutMs: 30 }).catch((error: Error) => error.message);
    await peer.connection();
    expect(await outcome).toContain('no answer for 0.03 seconds');
  });

  it('reads answers that come in pieces', async () => {
    const outcome = shake();
    const connection: PeerConnection = await peer.connection();
    await connection.command();
    for (const part of ['+P', 'ON', 'G\r', '\n+OK\r\n+O', 'K\r\n+FULLRES', `YNC ${ID} 5\r`, '\n']) {
      connection.send(part);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(await outcome).toEqual({ kind: 'full', id: ID, offset: 5 });
  });
});
