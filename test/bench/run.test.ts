/**
 * The benchmark still runs: the smallest possible one, the real server against itself, gives
 * results of the promised shape, and what a server cannot do is told without ending the run.
 * Figures are not judged.
 */
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { requestWriter } from '../../bench/load/recipe.js';
import { loads } from '../../bench/loads.js';
import { memoryCases } from '../../bench/memory-cases.js';
import { scenes } from '../../bench/scenes.js';
import { describe as tell, verdicts } from '../../bench/targets.js';
import { requireRedisServer } from '../support/real-server.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../../bench/run.js', import.meta.url));
const path = requireRedisServer();
const timeoutMs = 240_000;

describe.skipIf(path === null)('the benchmark', () => {
  const out = mkdtempSync(join(tmpdir(), 'bench-test-'));
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  const bench = (...args: string[]) =>
    run(process.execPath, [script, '--out', out, '--label', 'probe', ...args], {
      timeout: timeoutMs,
    });

  const read = (name: string) => readFileSync(join(out, name), 'utf8');

  const tiny = ['--quick', '--rounds', '1', '--ms', '5', '--keys', '3000'];
  const only = (...names: string[]) => names.flatMap((name) => ['--only', name]);

  it(
    'compares servers and writes figures, a chart and a table',
    async () => {
      const contenders = ['--subject', `mine=${path}`, '--peer', `theirs=${path}`];
      const wanted = only('throughput of ping', 'memory of hyperloglog, dense', 'peak');
      const { stdout } = await bench(...contenders, ...tiny, ...wanted);
      expect(stdout).toMatch(/PING -P 16.*x theirs, CPU/);
      expect(stdout).toMatch(/CPU per command at pipeline 16: median .* worst /);
      expect(stdout).toMatch(/memory: median .* of theirs's/);
      expect(stdout).toMatch(/peak memory while saving .* at most 1.3 x/);
      const json = JSON.parse(read('probe.json'));
      const tests = json.throughput.map(
        ({ name, pipeline }: { name: string; pipeline: number }) => `${name} ${pipeline}`,
      );
      expect(tests).toEqual(['PING inline 16', 'PING 1', 'PING 16']);
      expect(json.throughput[0].medians.mine.rps).toBeGreaterThan(0);
      expect(json.throughput[2].ratios.theirs.throughput).toBeGreaterThan(0);
      expect(json.memory[0].bytes.mine.used).toBeGreaterThan(12_304);
      expect(json.memory[0].ratios.theirs.used).toBeCloseTo(1, 1);
      expect(Object.keys(json.scenarios.peak[0].values)).toEqual(['mine', 'theirs']);
      const svg = /^<svg [^>]*>[\s\S]*PING[\s\S]*hyperloglog, dense[\s\S]*<\/svg>\n$/;
      expect(read('probe-ratios.svg')).toMatch(svg);
      expect(read('probe-types.svg')).toMatch(svg);
      expect(read('probe-types.svg')).toContain('peak memory');
    },
    timeoutMs,
  );

  it(
    'says what a server cannot do, and goes on',
    async () => {
      const lesser = join(out, 'lesser-server');
      writeFileSync(lesser, `#!/bin/sh\nexec ${path} "$@" --rename-command ZADD ""\n`);
      chmodSync(lesser, 0o755);
      const contenders = ['--subject', `lesser=${lesser}`, '--peer', `whole=${path}`];
      const wanted = only('throughput of ZADD', 'throughput of PING inline', 'memory of zset');
      const { stdout } = await bench(...contenders, ...tiny, ...wanted);
      expect(stdout).toMatch(/ZADD -P 1 +no result: .*unknown command/);
      expect(stdout).toMatch(/ZADD, 1M -P 16 +no result: .*unknown command/);
      expect(stdout).toMatch(/zset, big +no result: .*unknown command/);
      expect(stdout).toMatch(/PING inline -P 16.*x whole, CPU/);
      const json = JSON.parse(read('probe.json'));
      const errors = json.throughput.filter(({ error }: { error?: string }) => error !== undefined);
      expect(errors).toHaveLength(4);
    },
    timeoutMs,
  );

  it('refuses what it cannot run, and says why', async () => {
    await expect(bench('--peer', 'nowhere=/no/such/server')).rejects.toThrow(/does not exist/);
    await expect(bench('--peer', 'nonsense')).rejects.toThrow(/NAME=PATH/);
    await expect(bench('--rounds', '0')).rejects.toThrow(/--rounds/);
  });

  it('tells how it is used', async () => {
    const { stdout } = await bench('--help');
    for (const option of ['--quick', '--only', '--peer', '--keys', '--label', 'deletion']) {
      expect(stdout).toContain(option);
    }
  });
});

describe('the data sets', () => {
  it('are written as requests, the same each time', () => {
    const recipe = { command: ['HSET', 'h:{c}'], item: ['f:{i}', '{r}'], items: 2, commands: 3 };
    const text = requestWriter(recipe)(2);
    expect(text).toBe(requestWriter(recipe)(2));
    const [count, ...words] = text.split('\r\n').slice(0, -1);
    expect(count).toBe('*6');
    const number = expect.stringMatching(/^\d+$/);
    const texts = words.filter((_, i) => i % 2 === 1);
    expect(texts).toEqual(['HSET', 'h:000000000002', 'f:4', number, 'f:5', number]);
    for (let i = 0; i < words.length; i += 2) expect(words[i]).toBe(`$${words[i + 1]?.length}`);
  });

  it('are there for every load, and every load has a name of its own', () => {
    expect(loads.filter(({ scene }) => scenes[scene] === undefined)).toEqual([]);
    expect(new Set(loads.map(({ name }) => name)).size).toBe(loads.length);
    for (const { command } of loads) expect(command.length).toBeGreaterThan(0);
  });

  it('are whole at every scale', () => {
    for (const scale of [1, 0.1]) {
      const counts = memoryCases(scale).flatMap(({ units, recipes }) => {
        return [units, ...recipes.map(({ commands = 1 }) => commands)];
      });
      expect(counts.filter((count) => !Number.isInteger(count) || count < 1)).toEqual([]);
    }
  });
});

describe('the targets', () => {
  const load = { group: 'a', pipeline: 16, requests: 1, medians: {} };
  const cpu = (name: string, ratio: number, pipeline = 16) => {
    return { ...load, name, pipeline, ratios: { redis: { throughput: 1, cpu: ratio } } };
  };

  it('are judged at the median and at the worst, of what was measured', () => {
    const throughput = [cpu('A', 0.8), cpu('B', 0.7), cpu('C', 1.3), cpu('D', 9, 1)];
    const failed = { ...load, name: 'E', ratios: {}, error: 'ERR' };
    const results = { throughput: [...throughput, failed], memory: [], scenarios: {} };
    const [verdict, ...others] = verdicts(results, 'redis');
    expect(others).toEqual([]);
    expect(verdict).toMatchObject({ median: 0.8, worst: { name: 'C', ratio: 1.3 }, met: false });
    expect(verdict?.above).toEqual([{ name: 'C', ratio: 1.3 }]);
    expect(tell(verdict!, 'redis')).toMatch(
      /median 0.80 .*kept.*worst 1.30 .*MISSED[\s\S]*1.30 +C/,
    );
    const fine = { ...results, throughput: [cpu('A', 0.8)] };
    expect(verdicts(fine, 'redis')[0]).toMatchObject({ met: true, above: [] });
  });
});
