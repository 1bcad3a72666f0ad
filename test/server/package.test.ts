/** What is published: programs, and types of the library that need nothing else. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

function packed(): Set<string> {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const text = execFileSync('npm', args, { cwd: root, encoding: 'utf8' });
  return new Set([...text.matchAll(/"path": "([^"]+)"/g)].map(([, path]) => path ?? ''));
}

/** The files of types that this one needs, itself among them. */
function typesOf(first: string): Set<string> {
  const found = new Set([first]);
  for (const file of found) {
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, target = ''] of text.matchAll(/\b(?:from |import\()'(\.[^']+)\.[tj]s'/g)) {
      found.add(`${join(file, '..', target)}.d.ts`);
    }
  }
  return found;
}

it('has every file of types that the library needs, and what its programs run', () => {
  const files = packed();
  const types = typesOf('dist/server/index.d.ts');
  expect(types.size).toBe(4);
  const needed = ['bin/cairn.js', 'bin/cairn-server.js', 'dist/run/index.js', ...types];
  expect(needed.filter((file) => !files.has(file) || !existsSync(join(root, file)))).toEqual([]);
});

it('has what its README names for further reading', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const named = [...readme.matchAll(/\]\((\w+\.md)\)/g)].map(([, file]) => file ?? '');
  expect(named).toContain('ARCHITECTURE.md');
  const files = packed();
  expect(named.filter((file) => !files.has(file))).toEqual([]);
});

it('has types that need no others, of Node or a package', () => {
  const texts = [...typesOf('dist/server/index.d.ts')].map((file) => {
    return readFileSync(join(root, file), 'utf8').replace(/\/\*.*?\*\//gs, '');
  });
  const foreign = /\b(?:from |import\()'([^.'][^']*)'|\b(?:Buffer|NodeJS)\b/;
  expect(texts.map((text) => foreign.exec(text)?.[0]).filter(Boolean)).toEqual([]);
});

it('lets the heap of its programs grow as long as there is memory', () => {
  const print = 'import{getHeapStatistics as h}from"node:v8";console.log(h().heap_size_limit)';
  const first = `data:text/javascript,${encodeURIComponent(`${print};process.exit()`)}`;
  const env = { ...process.env, NODE_OPTIONS: `--import=${first}` };
  for (const program of ['cairn', 'cairn-server']) {
    const limit = execFileSync(join(root, 'bin', `${program}.js`), {
      env,
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(Number(limit)).toBeGreaterThan(2 ** 34);
  }
});

it('goes on when its terminal is closed, before the server itself is ready for signals', () => {
  const hangUp = "process.kill(process.pid,'SIGHUP');console.log('hung up')";
  const first = `process.on('newListener',n=>{if(n==='SIGHUP')setImmediate(()=>{${hangUp}})})`;
  const env = {
    ...process.env,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(first)}`,
  };
  for (const [program, ...args] of [['cairn', 'server'], ['cairn-server']] as const) {
    const run = spawnSync(
      join(root, 'bin', `${program}.js`),
      [...args, '--port', '0', '--dir', tmpdir()],
      { env, encoding: 'utf8', timeout: 60_000 },
    );
    expect(run.stdout).toContain('hung up');
    expect(run.stdout).toContain('Configured to not listen anywhere');
    expect(run.signal).toBeNull();
  }
});
