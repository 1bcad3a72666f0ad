/**
 * An assembler of WebAssembly: what a few hot loops over bytes are written in. They need unaligned
 * 64-bit words, which JavaScript has none of, and run fast from their first call on.
 *
 *     const [at, end] = [0, 1];                       // parameters and locals, by their numbers
 *     const memory = newMemory(1);
 *     const call = assemble(memory, {
 *       firstZero: { parameters: 2, words: 0, longs: 0, code: [
 *         ...repeat(and(less(get(at), get(end)), load8(get(at))), advance(at, word(1))),
 *         ...get(at),
 *       ] },
 *     });
 *     call.firstZero(0, 100);
 *
 * Every function takes and returns 32-bit integers. Its locals are numbered on from its parameters:
 * first those of 32 bits (`words`), then those of 64 (`longs`). An expression is the sequence of
 * its instructions and leaves one value; a statement leaves none. Unless its name says otherwise,
 * an instruction works on 32 bits, and compares without a sign. A module has one memory, which
 * it may share with others, and knows nothing else: its code must stay within it; an access beyond
 * it throws.
 *
 * Numbers of opcodes and sections: the WebAssembly specification 1.0, chapter 5.
 */

/** Instructions, in their binary form. */
export type Code = readonly number[];

/** A function that is to be assembled. */
export interface MachineFunction {
  readonly parameters: number;
  /** Locals of 32 and of 64 bits. */
  readonly words: number;
  readonly longs: number;
  readonly code: Code;
}

/** Memory that modules work on. */
export interface MachineMemory {
  readonly buffer: ArrayBuffer;
}

/** The functions of a module, by name. */
export type Machine<Name extends string> = Readonly<Record<Name, (...values: number[]) => number>>;

declare const WebAssembly: {
  readonly Memory: new (size: { initial: number }) => MachineMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new <Name extends string>(
    module: object,
    imports: { '': { memory: MachineMemory } },
  ) => { readonly exports: Machine<Name> };
};

const TYPE_I32 = 0x7f;
const TYPE_I64 = 0x7e;
const TYPE_FUNCTION = 0x60;
const NO_RESULT = 0x40;
const END = 0x0b;
const MAGIC: Code = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** An unsigned number in LEB128. */
function leb(value: number): number[] {
  const out: number[] = [];
  for (let rest = value >>> 0; ; rest >>>= 7) {
    if (rest < 0x80) return [...out, rest];
    out.push((rest & 0x7f) | 0x80);
  }
}

/** A signed number in LEB128. */
function signedLeb(value: number): number[] {
  const out: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    if (rest >= -0x40 && rest < 0x40) return [...out, rest & 0x7f];
    out.push((rest & 0x7f) | 0x80);
  }
}

// ---------------------------------------------------------------- expressions

type Unary = (value: Code) => Code;
type Binary = (left: Code, right: Code) => Code;

const unary = (opcode: number): Unary => {
  return (value) => [...value, opcode];
};
const binary = (opcode: number): Binary => {
  return (left, right) => [...left, ...right, opcode];
};

export const get = (local: number): Code => [0x20, ...leb(local)];
export const word = (value: number): Code => [0x41, ...signedLeb(value)];
/** A 64-bit constant that has no more than 32 bits. */
export const long = (value: number): Code => [0x42, ...signedLeb(value)];

export const isZero = unary(0x45);
export const equal = binary(0x46);
export const differ = binary(0x47);
export const lessSigned = binary(0x48);
export const less = binary(0x49);
export const moreSigned = binary(0x4a);
export const more = binary(0x4b);
export const atMost = binary(0x4d);
export const atLeast = binary(0x4f);
export const add = binary(0x6a);
export const subtract = binary(0x6b);
export const times = binary(0x6c);
export const and = binary(0x71);
export const or = binary(0x72);
export const xor = binary(0x73);
export const shiftLeft = binary(0x74);
export const shiftRight = binary(0x76);

export const isZero64 = unary(0x50);
export const ones64 = unary(0x7b);
export const differ64 = binary(0x52);
export const add64 = binary(0x7c);
export const subtract64 = binary(0x7d);
export const and64 = binary(0x83);
export const or64 = binary(0x84);
export const xor64 = binary(0x85);
export const shiftRight64 = binary(0x88);
/** The low 32 bits of a 64-bit value. */
export const low = unary(0xa7);
/** A 32-bit value as one of 64 bits, without and with its sign. */
export const widen = unary(0xad);
export const widenSigned = unary(0xac);

/** One of two values, both of which are worked out. */
export const choose = (condition: Code, then: Code, other: Code): Code => {
  return [...then, ...other, ...condition, 0x1b];
};

/** What lies in memory at an address, `offset` bytes behind it. */
type Load = (address: Code, offset?: number) => Code;
type Store = (address: Code, value: Code, offset?: number) => Code;

const loadBy = (opcode: number): Load => {
  return (address, offset = 0) => [...address, opcode, 0, ...leb(offset)];
};
const storeBy = (opcode: number): Store => {
  return (address, value, offset = 0) => [...address, ...value, opcode, 0, ...leb(offset)];
};

export const load32 = loadBy(0x28);
export const load64 = loadBy(0x29);
export const load8 = loadBy(0x2d);
export const load16 = loadBy(0x2f);

/** Calls the function of this number, in the order of the names given to `assemble`. */
export const invoke = (index: number, ...values: Code[]): Code => {
  return [...values.flat(), 0x10, ...leb(index)];
};

// ---------------------------------------------------------------- statements

export const store32 = storeBy(0x36);
export const store64 = storeBy(0x37);
export const store8 = storeBy(0x3a);

export const set = (local: number, value: Code): Code => [...value, 0x21, ...leb(local)];
/** Adds to a local of 32 bits. */
export const advance = (local: number, by: Code): Code => set(local, add(get(local), by));
export const give = (value: Code): Code => [...value, 0x0f];

/** Ends the block, loop or condition that is `depth` levels out from here; a loop begins anew. */
export const leave = (depth: number): Code => [0x0c, ...leb(depth)];
export const leaveWhen = (condition: Code, depth: number): Code => {
  return [...condition, 0x0d, ...leb(depth)];
};
export const block = (...body: Code[]): Code => [0x02, NO_RESULT, ...body.flat(), END];
export const loop = (...body: Code[]): Code => [0x03, NO_RESULT, ...body.flat(), END];

export const when = (condition: Code, then: readonly Code[], other: readonly Code[] = []): Code => {
  const otherwise = other.length === 0 ? [] : [0x05, ...other.flat()];
  return [...condition, 0x04, NO_RESULT, ...then.flat(), ...otherwise, END];
};

/** Repeats while the condition holds. In the body, `leave(0)` goes on, `leave(1)` ends it. */
export const repeat = (condition: Code, ...body: Code[]): Code => {
  return block(loop(leaveWhen(isZero(condition), 1), ...body, leave(0)));
};

// ---------------------------------------------------------------- modules

const section = (id: number, content: Code): Code => [id, ...leb(content.length), ...content];

const named = (text: string): Code => [text.length, ...[...text].map((c) => c.charCodeAt(0))];

function typeOf({ parameters }: MachineFunction): Code {
  return [TYPE_FUNCTION, parameters, ...Array(parameters).fill(TYPE_I32), 1, TYPE_I32];
}

function bodyOf({ words, longs, code }: MachineFunction): Code {
  const whole = [2, ...leb(words), TYPE_I32, ...leb(longs), TYPE_I64, ...code, END];
  return [...leb(whole.length), ...whole];
}

/**
 * Memory of so many pages of 64 KiB, all zeros. V8 keeps addresses free behind each, some 10 GB, so
 * that it need not check every access; a limit of addresses is what such a memory may not be for.
 */
export function newMemory(pages: number): MachineMemory {
  try {
    return new WebAssembly.Memory({ initial: pages });
  } catch (error) {
    const cure = 'lift the limit of virtual memory (ulimit -v, LimitAS), of which nothing is used';
    throw new Error(`there are not the 33 GB of addresses that WebAssembly keeps free: ${cure}`, {
      cause: error,
    });
  }
}

/** Puts a module together that works on `memory`, and starts it. */
export function assemble<Name extends string>(
  memory: MachineMemory,
  functions: Readonly<Record<Name, MachineFunction>>,
): Machine<Name> {
  const names = Object.keys(functions);
  const all = Object.values<MachineFunction>(functions);
  const exported = names.flatMap((name, index) => [...named(name), 0, ...leb(index)]);
  const bytes = [
    ...MAGIC,
    ...section(1, [all.length, ...all.flatMap(typeOf)]),
    ...section(2, [1, ...named(''), ...named('memory'), 2, 0, 0]),
    ...section(3, [all.length, ...all.keys()]),
    ...section(7, [all.length, ...exported]),
    ...section(10, [all.length, ...all.flatMap(bodyOf)]),
  ];
  const module = new WebAssembly.Module(Uint8Array.from(bytes));
  return new WebAssembly.Instance<Name>(module, { '': { memory } }).exports;
}
