/**
 * Reads the options of a command: words in any order, some with values behind them.
 *
 *     options.start(c.args, 3);
 *     while (options.more) {
 *       if (options.take('nx')) flags = options.join(flags, NX, XX);
 *       else if (options.take('get')) flags |= GET;
 *       else if (options.take('ex', 1)) timeAt = options.index();
 *       else if (options.take('count', 1)) count = options.integer();
 *       else options.fail();
 *     }
 *     if (options.refuse(c.reply)) return;
 *
 * The first error is kept and ends the reading: `more` is false from then on, and readers of values
 * return something harmless. So a handler reads everything and asks once, at the end. A command
 * whose options stop where its data begin leaves the loop with `break` and goes on at `at`.
 *
 * Nothing is allocated; one reader at module level serves all calls of a handler.
 */
import { Args } from '../../core/resp/args.ts';
import type { Reply } from '../../core/resp/reply.ts';
import { parseDouble } from '../../core/text/double.ts';
import { parseInteger } from '../../core/text/integer.ts';
import { NOT_A_FLOAT, NOT_AN_INTEGER, SYNTAX_ERROR } from './errors.ts';

export class OptionReader {
  /** The argument that is read next. */
  at = 0;
  private args = new Args();
  private error = '';

  /** Begins at argument `first` of `args`. */
  start(args: Args, first: number): void {
    this.args = args;
    this.at = first;
    this.error = '';
  }

  /** Whether there is another argument and no error so far. */
  get more(): boolean {
    return this.at < this.args.count && this.error === '';
  }

  /** Whether an error has been noted. */
  get failed(): boolean {
    return this.error !== '';
  }

  /**
   * Whether the next argument is `word` (lower case), whatever its own case, and at least `values`
   * arguments follow. If so, it is passed.
   */
  take(word: string, values = 0): boolean {
    if (this.at + values >= this.args.count || !this.args.is(this.at, word)) return false;
    this.at++;
    return true;
  }

  /** `flags` with `flag`; a syntax error when one of `excluded` is set already. */
  join(flags: number, flag: number, excluded: number): number {
    if ((flags & excluded) !== 0) this.fail();
    return flags | flag;
  }

  /** The index of the next argument, which is passed. */
  index(): number {
    return this.at++;
  }

  /** The next argument as an integer, as the nearest number past 2^53. */
  integer(error: string = NOT_AN_INTEGER): number {
    const i = this.at++;
    const { bytes, offsets, lengths } = this.args;
    const value = parseInteger(bytes[i]!, offsets[i]!, lengths[i]!);
    if (!Number.isNaN(value)) return value;
    this.fail(error);
    return 0;
  }

  /** The next argument as a double; infinities are numbers. */
  double(error: string = NOT_A_FLOAT): number {
    const i = this.at++;
    const { bytes, offsets, lengths } = this.args;
    const value = parseDouble(bytes[i]!, offsets[i]!, lengths[i]!);
    if (!Number.isNaN(value)) return value;
    this.fail(error);
    return 0;
  }

  /** Notes an error, a syntax error unless another is named. Only the first one counts. */
  fail(error: string = SYNTAX_ERROR): void {
    if (this.error === '') this.error = error;
  }

  /** Answers the error, if there was one. */
  refuse(reply: Reply): boolean {
    if (this.error === '') return false;
    reply.error(this.error);
    return true;
  }
}
