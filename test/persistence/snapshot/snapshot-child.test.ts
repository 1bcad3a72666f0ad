/** The snapshot's child, spoken to directly: packets in parts, and an input that breaks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, expect, it } from 'vitest';
import {
  PACKET_DATA,
  PACKET_END,
  PACKET_JOB,
  packetHead,
  REPORT_FD,
  type SnapshotJob,
} from '../../../src/persistence/snapshot/snapshot-protocol.ts';
import { removeFolder } from '../../support/remove-folder.ts';
import { CHILD_SCRIPT } from '../rdb/rdb-support.ts';

const folder = mkdtempSync(join(tmpdir(), 'cairn-child-'));
const path = join(folder, 'dump.rdb');
const temporary = () => readdirSync(folder).filter((name) => name.startsWith('temp-'));

let child: ChildProcess | undefined;
afterEach(() => child?.kill('SIGKILL'));
afterAll(() => removeFolder(folder));

/** Starts the child, and gives its input and what it reports. */
function start(script: string) {
  const one = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] });
  child = one;
  const said: string[] = [];
  const reports = one.stdio[REPORT_FD] as Readable;
  reports.on('data', (text: Buffer) => said.push(String(text)));
  const input = one.stdio[0] as Writable;
  input.on('error', () => {});
  return { one, input, reported: () => said.join('') };
}

function packet(kind: number, body: Uint8Array): Buffer {
  return Buffer.concat([packetHead(kind, body.length), body]);
}

function jobPacket(): Buffer {
  const job: SnapshotJob = {
    path,
    checksum: false,
    commands: null,
    incrementalFsync: false,
    expectedBytes: 0,
  };
  return packet(PACKET_JOB, Buffer.from(JSON.stringify(job)));
}

/** A frame of this text, written as it is. */
function rawFrame(text: string): Buffer {
  return Buffer.concat([Buffer.of(0, text.length, 0, 0, 0), Buffer.from(text)]);
}

const END = packet(PACKET_END, new Uint8Array(0));

it.each([1, 7, 8, 9, 12])('knows a packet of which %i bytes came first', async (cut) => {
  const { input, reported } = start(CHILD_SCRIPT);
  const data = packet(PACKET_DATA, rawFrame('the words of a dump'));
  input.write(Buffer.concat([jobPacket(), data.subarray(0, cut)]));
  // What came first has been read when the file is there.
  await expect.poll(temporary).toHaveLength(1);
  input.write(Buffer.concat([data.subarray(cut), END]));
  await expect.poll(reported).toMatch(/"ended","ok":true/);
  expect(readFileSync(path, 'latin1')).toMatch(/^the words of a dump/);
});

it('takes an input that breaks for one that ends: nothing is finished', async () => {
  writeFileSync(path, 'the old file');
  const script = join(folder, 'breaking.mjs');
  writeFileSync(
    script,
    `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { readSync } = fs;
    let reads = 0;
    fs.readSync = (fd, ...args) => {
      if (fd === 0 && ++reads > 1) throw Object.assign(new Error('broken'), { code: 'ECONNRESET' });
      return readSync(fd, ...args);
    };
    syncBuiltinESMExports();
    await import(${JSON.stringify(pathToFileURL(CHILD_SCRIPT).href)});`,
  );
  const { one, input } = start(script);
  input.write(Buffer.concat([jobPacket(), packet(PACKET_DATA, rawFrame('half'))]));
  expect(await once(one, 'exit')).toEqual([0, null]);
  expect(temporary()).toEqual([]);
  expect(readFileSync(path, 'utf8')).toBe('the old file');
});
