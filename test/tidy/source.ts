/**
 * Reads the project's source files for the house-rule test: each with its text, its text without
 * comments, and its text without comments, strings and regular expressions (their characters are
 * blanked, line breaks kept, so that line numbers stay right).
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export type SourceFile = {
  /** Path from the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Without comments. */
  readonly uncommented: string;
  /** Without comments, strings, regular expressions. */
  readonly bare: string;
};

type Piece = { readonly kind: 'code' | 'comment' | 'literal'; readonly text: string };

/** A slash begins a regular expression after these, and divides after anything else. */
const beforeRegex = /(?:^|[([{,;=:!&|?+\-*%<>~^\n]|\b(?:return|typeof|case|in|of))\s*$/;

const tokens = new RegExp(
  [
    /\/\*[\s\S]*?\*\//, // a block comment
    /\/\/[^\n]*/, // a line comment
    /'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/, // a string
    /`(?:\\[\s\S]|[^`\\])*`/, // a template
    /\//, // perhaps a regular expression
  ]
    .map((part) => part.source)
    .join('|'),
  'g',
);

const regexLiteral = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;

/** The code cut into comments, literals and the rest; a template counts as one literal. */
function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  tokens.lastIndex = 0;
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    let token = match[0];
    if (token === '/') {
      regexLiteral.lastIndex = match.index;
      const literal = regexLiteral.exec(text);
      const before = text.slice(Math.max(0, match.index - 40), match.index);
      if (literal === null || !beforeRegex.test(before)) continue;
      token = literal[0];
    }
    const isComment = token.startsWith('//') || token.startsWith('/*');
    pieces.push({ kind: 'code', text: text.slice(from, match.index) });
    pieces.push({ kind: isComment ? 'comment' : 'literal', text: token });
    from = match.index + token.length;
    tokens.lastIndex = from;
  }
  pieces.push({ kind: 'code', text: text.slice(from) });
  return pieces;
}

const blank = (text: string): string => text.replace(/[^\n]/g, ' ');

/** A source file from its path and text. */
export function sourceFile(path: string, text: string): SourceFile {
  const pieces = piecesOf(text);
  const keep = (kinds: readonly Piece['kind'][]) =>
    pieces.map((piece) => (kinds.includes(piece.kind) ? piece.text : blank(piece.text))).join('');
  return { path, text, uncommented: keep(['code', 'literal']), bare: keep(['code']) };
}

/** All files below `root/folder` whose names end in `.ts` or `.js`, none when it is missing. */
export function filesBelow(root: string, folder: string): SourceFile[] {
  const files: SourceFile[] = [];
  const visit = (directory: string) => {
    for (const name of readdirSync(directory).sort()) {
      const path = join(directory, name);
      if (name === 'node_modules' || name === 'results') continue;
      if (statSync(path).isDirectory()) visit(path);
      else if (/\.(ts|js)$/.test(name)) {
        const shown = relative(root, path).split(sep).join('/');
        files.push(sourceFile(shown, readFileSync(path, 'utf8')));
      }
    }
  };
  visit(join(root, folder));
  return files;
}
