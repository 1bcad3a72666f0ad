/** Programs on PATH. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The path of a tool on PATH, or null.
 * @type {(name: string) => string | null}
 */
export function findTool(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder !== '' && existsSync(join(folder, name))) return join(folder, name);
  }
  return null;
}
