/**
 * The notation of a command's arguments, from which COMMAND DOCS derives: a line of text in its
 * specification.
 *
 *     key:key value [condition=(NX|XX)@2.6.12] [GET@6.2.0] [expiration=(EX
 *     seconds:integer|KEEPTTL@6.0.0)]
 *
 *     name            an argument of type string
 *     name:type       one of another type: key string integer double pattern unix-time
 *     name~text       one that people are shown under another name: auth~password
 *     NX              a word that stands for itself (no lower-case letter); its name is "nx"
 *     name=NX         the same with a name of its own
 *     EX name         a word in front of an argument
 *     GET... name     the same, repeated with each argument
 *     [x]             x may be left out
 *     x...            x may be repeated
 *     name=(a|b|c)    one of several
 *     name={a b c}    several in a row
 *     EX name={a b}   a word in front of either
 *
 * Behind an argument may stand, in this order: `@version` since which, `!version` since which it is
 * deprecated. Keys belong to the command's key specifications one after the other; `key:key#1`
 * names another than the next. Names and words with other characters stand in double quotes:
 * "ip:port", auto-id="*".
 */

type ArgumentType =
  | 'string'
  | 'integer'
  | 'double'
  | 'key'
  | 'pattern'
  | 'unix-time'
  | 'pure-token'
  | 'oneof'
  | 'block';

export interface SyntaxArgument {
  readonly name: string;
  /** What people call it: mostly its name. */
  readonly shown: string;
  readonly type: ArgumentType;
  /** The word in front of it, or that it is. */
  readonly token: string | undefined;
  /** Number of its key specification. */
  readonly keySpec: number | undefined;
  readonly since: string | undefined;
  readonly deprecatedSince: string | undefined;
  readonly optional: boolean;
  readonly multiple: boolean;
  readonly multipleToken: boolean;
  /** The arguments inside a 'oneof' or a 'block'. */
  readonly parts: readonly SyntaxArgument[];
}

const TYPES: readonly ArgumentType[] = [
  'string',
  'integer',
  'double',
  'key',
  'pattern',
  'unix-time',
  'pure-token',
];

/**
 * The arguments that a line of notation describes; throws an Error that shows where it is wrong.
 */
export function parseSyntax(text: string): SyntaxArgument[] {
  return new SyntaxParser(text).all();
}

/** The arguments as a line for people: "<key> [NX | XX] [EX <seconds>]". */
export function usageOf(text: string): string {
  return parseSyntax(text).map(usage).join(' ');
}

function usage(argument: SyntaxArgument): string {
  const { shown, type, token, parts, optional, multiple } = argument;
  let body = `<${shown}>`;
  if (type === 'pure-token') body = '';
  else if (type === 'oneof') body = `(${parts.map(usage).join(' | ')})`;
  else if (type === 'block') body = parts.map(usage).join(' ');
  const once = [token ?? '', body].filter((part) => part !== '').join(' ');
  const all = multiple ? `${once} [${once} ...]` : once;
  return optional ? `[${all}]` : all;
}

/** What is known of an argument's front before its body is read. */
interface Front {
  readonly token: string | undefined;
  readonly multipleToken: boolean;
}

const NO_FRONT: Front = { token: undefined, multipleToken: false };

class SyntaxParser {
  private readonly text: string;
  private at = 0;
  private nextKeySpec = 0;

  constructor(text: string) {
    this.text = text;
  }

  all(): SyntaxArgument[] {
    const found = this.sequence();
    if (this.at < this.text.length) this.fail('an argument');
    return found;
  }

  private sequence(): SyntaxArgument[] {
    const found: SyntaxArgument[] = [];
    for (this.spaces(); this.at < this.text.length && !this.sees(/[\])}|]/y); this.spaces()) {
      found.push(this.argument());
    }
    return found;
  }

  private argument(): SyntaxArgument {
    if (this.takes('[')) {
      const inner = this.argument();
      this.spaces();
      this.must(']');
      return { ...inner, optional: true, multiple: inner.multiple || this.takes('...') };
    }
    const token = this.read(/[A-Z][A-Z0-9_-]*(?![a-z:=])/y);
    if (token === undefined) return this.body(NO_FRONT);
    const multipleToken = this.sees(/\.\.\. *[a-z"({]/y) && this.takes('...');
    if (this.sees(/ +(?=[a-z"({])/y)) {
      this.spaces();
      return this.body({ token, multipleToken });
    }
    return this.finish(token.toLowerCase(), 'pure-token', { token, multipleToken: false }, []);
  }

  /** [name=] and a group, a word or a name. */
  private body(front: Front): SyntaxArgument {
    const name = this.name();
    const shown = this.takes('~') ? this.name() : name;
    if (!this.takes('=')) return { ...this.finish(name, this.type(), front, []), shown };
    if (this.takes('(')) return this.finish(name, 'oneof', front, this.alternatives());
    if (this.takes('{')) {
      const parts = this.sequence();
      this.must('}');
      return this.finish(name, 'block', front, parts);
    }
    const token = this.read(/[A-Z][A-Z0-9_-]*/y) ?? this.quoted() ?? this.fail('a word');
    return this.finish(name, 'pure-token', { token, multipleToken: false }, []);
  }

  private alternatives(): SyntaxArgument[] {
    const parts: SyntaxArgument[] = [];
    do {
      this.spaces();
      parts.push(this.argument());
      this.spaces();
    } while (this.takes('|'));
    this.must(')');
    return parts;
  }

  private finish(
    name: string,
    type: ArgumentType,
    front: Front,
    parts: SyntaxArgument[],
  ): SyntaxArgument {
    const given = this.takes('#') ? Number(this.read(/\d+/y)) : undefined;
    const keySpec = given ?? (type === 'key' ? this.nextKeySpec++ : undefined);
    const since = this.takes('@') ? this.version() : undefined;
    const deprecatedSince = this.takes('!') ? this.version() : undefined;
    const multiple = front.multipleToken || this.takes('...');
    const { token, multipleToken } = front;
    const optional = false;
    return {
      ...{ name, shown: name, type, token, keySpec, since, deprecatedSince },
      ...{ optional, multiple, multipleToken, parts },
    };
  }

  private name(): string {
    return this.read(/[A-Za-z0-9_-]+/y) ?? this.quoted() ?? this.fail('a name');
  }

  private type(): ArgumentType {
    if (!this.takes(':')) return 'string';
    const given = this.read(/[a-z-]+/y);
    return TYPES.find((type) => type === given) ?? this.fail(`a type (${TYPES.join(' ')})`);
  }

  private version(): string {
    return this.read(/\d+\.\d+\.\d+/y) ?? this.fail('a version');
  }

  private quoted(): string | undefined {
    return this.read(/"[^"]*"/y)?.slice(1, -1);
  }

  private spaces(): void {
    this.read(/ +/y);
  }

  private takes(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  private must(text: string): void {
    if (!this.takes(text)) this.fail(`'${text}'`);
  }

  private sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    return pattern.test(this.text);
  }

  private read(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private fail(wanted: string): never {
    const where = `${this.text.slice(0, this.at)} <here> ${this.text.slice(this.at)}`;
    throw new Error(`command syntax: expected ${wanted}: ${where}`);
  }
}
