/**
 * Draws ratios as one SVG of horizontal bars with a line at 1.0, readable on light and dark pages:
 * no background, text in a colour that follows the page's scheme, bars in two mid tones.
 *
 *   title
 *   group name
 *     label  |#########|######     1.62
 *                      ^ 1.0: as the peer; longer is better for every bar
 */

/**
 * @typedef {{ label: string, ratio: number }} Bar
 * @typedef {{ title: string, bars: Bar[] }} Group
 */

const width = 760;
const labelWidth = 190;
const rowHeight = 20;
const barHeight = 13;
const top = 46;
const right = 60;

const style = `
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .group { font-weight: 600; }
  .better { fill: #2f81f7; }
  .worse { fill: #d2853c; }
  .one { stroke: #6e7781; stroke-width: 1; stroke-dasharray: 3 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #d8dee4; }
    .one { stroke: #9aa4ae; }
  }`;

/** @type {(text: string) => string} */
function escaped(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** @type {(bar: Bar, y: number, scale: number) => string} */
function drawBar(bar, y, scale) {
  const length = Math.max(1, bar.ratio * scale).toFixed(1);
  const kind = bar.ratio >= 1 ? 'better' : 'worse';
  const base = y + barHeight - 2;
  return [
    `<text x="${labelWidth - 8}" y="${base}" text-anchor="end">${escaped(bar.label)}</text>`,
    `<rect class="${kind}" x="${labelWidth}" y="${y}" width="${length}" height="${barHeight}"/>`,
    `<text x="${(labelWidth + Number(length) + 6).toFixed(1)}" y="${base}">` +
      `${bar.ratio.toFixed(2)}</text>`,
  ].join('\n');
}

/**
 * The chart as SVG text; groups without bars are left out.
 * @param {string} title
 * @param {Group[]} groups
 */
export function drawRatios(title, groups) {
  const shown = groups.filter((group) => group.bars.length > 0);
  const ratios = shown.flatMap((group) => group.bars.map((bar) => bar.ratio));
  const scale = (width - labelWidth - right) / Math.max(1.2, ...ratios);
  /** @type {string[]} */
  const parts = [];
  let y = top;
  for (const group of shown) {
    parts.push(`<text class="group" x="8" y="${y + 12}">${escaped(group.title)}</text>`);
    y += rowHeight;
    for (const bar of group.bars) {
      parts.push(drawBar(bar, y, scale));
      y += rowHeight;
    }
    y += 8;
  }
  const one = (labelWidth + scale).toFixed(1);
  const height = y + 12;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style}\n</style>`,
    `<text class="title" x="8" y="20">${escaped(title)}</text>`,
    `<text x="${one}" y="${top - 6}" text-anchor="middle">1.0</text>`,
    ...parts,
    `<line class="one" x1="${one}" y1="${top}" x2="${one}" y2="${y}"/>`,
    '</svg>',
    '',
  ].join('\n');
}
