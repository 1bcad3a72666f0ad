/** Which large buffers are made while something runs: to see how often a thing is held. */

/** The sizes of all buffers of at least `least` bytes that `action` makes. */
export function roomsMade(least: number, action: () => void): number[] {
  const sizes: number[] = [];
  const originals = { ArrayBuffer, Uint8Array };
  const note = (size: unknown): void => {
    if (typeof size === 'number' && size >= least) sizes.push(size);
  };
  globalThis.ArrayBuffer = new Proxy(ArrayBuffer, {
    construct(made, args, as): object {
      note(args[0]);
      return Reflect.construct(made, args, as);
    },
  });
  globalThis.Uint8Array = new Proxy(Uint8Array, {
    construct(made, args, as): object {
      note(args[0]);
      return Reflect.construct(made, args, as);
    },
  });
  try {
    action();
  } finally {
    Object.assign(globalThis, originals);
  }
  return sizes;
}
