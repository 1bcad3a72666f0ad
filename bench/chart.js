/**
 * Draws ratios as horizontal bars with a line at 1.0, in two columns:
 *
 *   title
 *   group name                           group name
 *     label  |######|           0.62       label  |#########|###     1.12
 *                   ^ 1.0: as the peer; shorter is better for every bar
 */
import { picture, rectangle, stroke, text } from './svg.js';

/**
 * @typedef {{ label: string, ratio: number }} Bar
 * @typedef {{ title: string, bars: Bar[] }} Group
 */

const columnWidth = 440;
const labelWidth = 190;
const rowHeight = 19;
const barHeight = 12;
const groupGap = 8;
const top = 56;
const right = 50;
/** Longer bars are cut here; their number tells. */
const ratioMax = 2;

/** @type {(group: Group) => number} */
const heightOf = ({ bars }) => (bars.length + 1) * rowHeight + groupGap;

/** @type {(bar: Bar, x: number, y: number, scale: number) => string[]} */
function drawBar({ label, ratio }, x, y, scale) {
  const length = Math.max(1, Math.min(ratio, ratioMax) * scale);
  const base = y + barHeight - 2;
  return [
    text(x + labelWidth - 8, base, label, 'number'),
    rectangle(ratio <= 1 ? 'better' : 'worse', x + labelWidth, y, length, barHeight),
    text(x + labelWidth + length + 5, base, ratio.toFixed(2)),
  ];
}

/** @type {(groups: Group[], x: number, scale: number) => { parts: string[], bottom: number }} */
function drawColumn(groups, x, scale) {
  const parts = [];
  let y = top;
  for (const group of groups) {
    parts.push(text(x + 8, y + barHeight - 2, group.title, 'group'));
    for (const [i, bar] of group.bars.entries()) {
      parts.push(...drawBar(bar, x, y + (i + 1) * rowHeight, scale));
    }
    y += heightOf(group);
  }
  const one = x + labelWidth + scale;
  parts.push(text(one + 9, top - 8, '1.0', 'number'), stroke('one', one, top - 4, one, y));
  return { parts, bottom: y };
}

/**
 * Groups in two columns of about the same height, in order.
 * @type {(groups: Group[]) => Group[][]}
 */
function columnsOf(groups) {
  const half = groups.reduce((sum, group) => sum + heightOf(group), 0) / 2;
  /** @type {Group[][]} */
  const columns = [[], []];
  let height = 0;
  for (const group of groups) {
    columns[height + heightOf(group) / 2 < half ? 0 : 1]?.push(group);
    height += heightOf(group);
  }
  return columns.filter((column) => column.length > 0);
}

/**
 * The chart as SVG text; groups without bars are left out.
 * @param {string} title
 * @param {Group[]} groups
 */
export function drawRatios(title, groups) {
  const columns = columnsOf(groups.filter(({ bars }) => bars.length > 0));
  const ratios = groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio));
  const longest = Math.min(ratioMax, Math.max(1.2, ...ratios));
  const scale = (columnWidth - labelWidth - right) / longest;
  const drawn = columns.map((column, i) => drawColumn(column, i * columnWidth, scale));
  const height = Math.max(top, ...drawn.map(({ bottom }) => bottom)) + 4;
  const parts = drawn.flatMap((column) => column.parts);
  return picture(title, columnWidth * 2, height, parts);
}
