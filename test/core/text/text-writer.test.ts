/** Text that is put together: what was added, however long, and nothing of the text before. */
import { expect, it } from 'vitest';
import { TextWriter } from '../../../src/core/text/text-writer.ts';

it('has the words and numbers in the order in which they were added', () => {
  const writer = new TextWriter();
  for (let round = 0; round < 3; round++) {
    let expected = '';
    writer.start();
    for (const number of [0, -1, 12, 2 ** 53 - 1, -(2 ** 53) + 1, round]) {
      writer.text(` n\xff=`);
      writer.integer(number);
      expected += ` n\xff=${number}`;
    }
    expect(writer.shown()).toBe(expected);
    expect(writer.length).toBe(expected.length);
  }
});

it('grows, and does not keep what a long text took', () => {
  const writer = new TextWriter();
  let expected = '';
  for (let i = 0; i < 20_000; i++) {
    writer.integer(i);
    writer.text(',');
    expected += `${i},`;
  }
  expect(writer.shown()).toBe(expected);
  writer.start();
  expect(writer.bytes.length).toBe(4096);
  writer.text('x'.repeat(5000));
  expect(writer.shown()).toBe('x'.repeat(5000));
});
