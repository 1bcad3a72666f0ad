/**
 * Whether two objects have one hidden class in V8. Objects of one kind have, as long as none of
 * them got a field, or a kind of value in a field, that the other was not made with. Code that was
 * compiled for the one is thrown away when it meets the other.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--allow-natives-syntax');
export const haveOneHiddenClass = new Function('a', 'b', 'return %HaveSameMap(a, b)') as (
  a: object,
  b: object,
) => boolean;
setFlagsFromString('--no-allow-natives-syntax');
