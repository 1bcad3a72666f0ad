/**
 * The benchmark still runs: the smallest possible one, the real server against itself, gives
 * results of the promised shape. Figures are not judged.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { requireRedisServer } from '../support/real-server.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../../bench/run.js', import.meta.url));
const path = requireRedisServer();

describe.skipIf(path === null)('the benchmark', () => {
  const out = mkdtempSync(join(tmpdir(), 'bench-test-'));
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  const bench = (...args: string[]) =>
    run(process.execPath, [script, '--out', out, '--label', 'probe', ...args], { timeout: 50_000 });

  it('compares servers and writes figures and a chart', async () => {
    const contenders = ['--subject', `mine=${path}`, '--peer', `theirs=${path}`];
    const small = [
      '--quick',
      '--rounds',
      '1',
      '--keys',
      '3000',
      '--only',
      'PING',
      '--only',
      'load',
    ];
    const { stdout } = await bench(...contenders, ...small);
    expect(stdout).toMatch(/PING -P 16.*x theirs, CPU/);
    const json = JSON.parse(readFileSync(join(out, 'probe.json'), 'utf8'));
    const tests = json.throughput.map((test: { pipeline: number }) => test.pipeline);
    expect(tests).toEqual([1, 16]);
    expect(json.throughput[0].medians.mine.rps).toBeGreaterThan(0);
    expect(json.throughput[1].ratios.theirs.throughput).toBeGreaterThan(0);
    expect(Object.keys(json.loadMs)).toEqual(['mine', 'theirs']);
    const svg = readFileSync(join(out, 'ratios.svg'), 'utf8');
    expect(svg).toMatch(
      /^<svg [^>]*>[\s\S]*PING, pipeline 16[\s\S]*loading a dump[\s\S]*<\/svg>\n$/,
    );
  });

  it('refuses what it cannot run, and says why', async () => {
    await expect(bench('--peer', 'nowhere=/no/such/server')).rejects.toThrow(/does not exist/);
    await expect(bench('--peer', 'nonsense')).rejects.toThrow(/NAME=PATH/);
    await expect(bench('--rounds', '0')).rejects.toThrow(/--rounds/);
  });
});
