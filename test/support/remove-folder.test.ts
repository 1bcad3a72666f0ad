/** A folder goes although somebody still makes files in it. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { removeFolder } from './remove-folder.ts';

/** Makes files for a moment. */
const MAKER = 'i=0; while [ $i -lt 1500 ] && : > "$0/$i"; do i=$((i+1)); done';

it('removes a folder that is written to', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'remove-'));
  const inner = join(folder, 'inner');
  mkdirSync(inner);
  const maker = spawn('sh', ['-c', MAKER, inner], { stdio: 'ignore' });
  try {
    while (!existsSync(join(inner, '100'))) await sleep(1);
    removeFolder(folder);
    expect(existsSync(folder)).toBe(false);
  } finally {
    maker.kill('SIGKILL');
  }
  removeFolder(folder);
});
