/** The rehearsal goes through whole saves, little by little, and leaves no file behind. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Config } from '../../../src/server/config/config.ts';
import { SaveRehearsal } from '../../../src/server/persistence/save-rehearsal.ts';

it('saves keys and a stream in every round, a few a step, in one chunk of memory', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'cairn-rehearsal-'));
  try {
    const rehearsal = new SaveRehearsal(new Config({ directory }));
    let before = 0;
    let most = 0;
    while (rehearsal.step()) {
      await turn();
      const { keys } = rehearsal;
      most = Math.max(most, keys - before);
      before = keys;
    }
    expect(rehearsal.keys).toBe(5 * (1024 + 1));
    expect(most).toBeLessThan(64);
    expect(rehearsal.memory.length).toBe(1);
    expect(readdirSync(directory)).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
