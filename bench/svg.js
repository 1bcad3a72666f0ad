/**
 * What the SVGs have in common: readable on light and dark pages, without a background, text in a
 * colour that follows the page's scheme, marks in two mid tones.
 */

const style = `
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .group { font-weight: 600; }
  .number { text-anchor: end; font-variant-numeric: tabular-nums; }
  .better { fill: #2f81f7; }
  .worse { fill: #d2853c; }
  text.worse, text.better { font-weight: 600; }
  .one { stroke: #6e7781; stroke-width: 1; stroke-dasharray: 3 3; }
  .rule { stroke: #6e7781; stroke-width: 0.5; opacity: 0.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #d8dee4; }
    .one, .rule { stroke: #9aa4ae; }
  }`;

/** @type {(text: string) => string} */
const escaped = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/**
 * A text at a place; `kind` is one of the classes above.
 * @type {(x: number, y: number, content: string, kind?: string) => string}
 */
export function text(x, y, content, kind = '') {
  const named = kind === '' ? '' : ` class="${kind}"`;
  return `<text${named} x="${rounded(x)}" y="${rounded(y)}">${escaped(content)}</text>`;
}

/** @type {(kind: string, x: number, y: number, width: number, height: number) => string} */
export function rectangle(kind, x, y, width, height) {
  const size = `width="${rounded(width)}" height="${height}"`;
  return `<rect class="${kind}" x="${rounded(x)}" y="${rounded(y)}" ${size}/>`;
}

/** @type {(kind: string, x1: number, y1: number, x2: number, y2: number) => string} */
export function stroke(kind, x1, y1, x2, y2) {
  const from = `x1="${rounded(x1)}" y1="${rounded(y1)}"`;
  return `<line class="${kind}" ${from} x2="${rounded(x2)}" y2="${rounded(y2)}"/>`;
}

/** @type {(number: number) => number} */
const rounded = (number) => Math.round(number * 10) / 10;

/**
 * The whole picture, the title drawn at its top.
 * @type {(title: string, width: number, height: number, parts: string[]) => string}
 */
export function picture(title, width, height, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${rounded(height)}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style}\n</style>`,
    text(8, 20, title, 'title'),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}
