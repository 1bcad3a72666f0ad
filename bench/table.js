/**
 * Draws a table as SVG: a text in the first column, numbers in the others.
 *
 *   title
 *                          column    column
 *   group ------------------------------------
 *   label                     1.4      0.85
 */
import { picture, stroke, text } from './svg.js';

/**
 * @typedef {{ text: string, kind?: 'better' | 'worse' }} Cell
 * @typedef {{ label: string, cells: Cell[] }} Row
 * @typedef {{ title: string, columns: string[], rows: Row[] }} Section
 */

const width = 880;
const firstWidth = 400;
const rowHeight = 18;
const top = 44;
const sectionGap = 14;

/** @type {(cells: Cell[], y: number) => string[]} */
function drawCells(cells, y) {
  const each = (width - firstWidth - 8) / Math.max(1, cells.length);
  return cells.map(({ text: content, kind = '' }, i) => {
    return text(firstWidth + (i + 1) * each, y, content, `number ${kind}`.trim());
  });
}

/**
 * The table as SVG text; sections without rows are left out.
 * @param {string} title
 * @param {Section[]} sections
 */
export function drawTable(title, sections) {
  /** @type {string[]} */
  const parts = [];
  let y = top;
  for (const section of sections.filter(({ rows }) => rows.length > 0)) {
    const heads = section.columns.map((name) => ({ text: name }));
    parts.push(text(8, y, section.title, 'group'), ...drawCells(heads, y));
    parts.push(stroke('rule', 8, y + 5, width - 8, y + 5));
    y += rowHeight + 2;
    for (const { label, cells } of section.rows) {
      parts.push(text(16, y, label), ...drawCells(cells, y));
      y += rowHeight;
    }
    y += sectionGap;
  }
  return picture(title, width, y, parts);
}
