/** How the tools write bytes, times, names of keys, and tables. */
import { isUtf8 } from 'node:buffer';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Bytes in decimal units, with one digit behind the point: `4.6 GB`. */
export function shownBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Seconds as `m:ss`, or `h:mm:ss`. */
export function shownSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** A time to live in its two largest units: `3d 4h`, `12m 5s`. */
export function shownTtl(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0s';
  const shown = parts.slice(first, first + 2).filter(([value]) => value > 0);
  return shown.map(([value, unit]) => `${value}${unit}`).join(' ');
}

/** A count with thousands apart. */
export function shownCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A count and what is counted: `1 key`, `2,000 keys`, `2 libraries of functions`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${shownCount(count)} ${count === 1 ? one : many}`;
}

/** A key in quotes: as text where it is, with \xHH for bytes that are none. */
export function shownKey(key: Uint8Array): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.length);
  const text = isUtf8(bytes) ? bytes.toString('utf8') : null;
  const escaped = (text ?? bytes.toString('latin1')).replace(
    /["\\]|[\x00-\x1f\x7f-\xff]/g,
    (char) => {
      if (char === '"' || char === '\\') return `\\${char}`;
      if (text !== null && char >= '\xa0') return char;
      return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
    },
  );
  return `"${escaped}"`;
}

/** Rows of cells in columns; the first column is left-aligned, all others right. */
export function shownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => {
    return all.reduce((widest, row) => Math.max(widest, (row[i] ?? '').length), 0);
  });
  return all
    .map((row) => {
      const cells = row.map((cell, i) =>
        i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!),
      );
      return `  ${cells.join('  ')}`.trimEnd();
    })
    .map((line) => `${line}\n`)
    .join('');
}
