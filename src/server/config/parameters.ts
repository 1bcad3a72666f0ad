/**
 * All parameters, and the types that follow from them: the names, and the values as the server
 * reads them. A parameter is added in the table of its family and nowhere else.
 */
import type { AnyParameter, Parameter } from './parameter.ts';
import { advancedParameters } from './parameters-advanced.ts';
import { aofParameters } from './parameters-aof.ts';
import { clusterParameters } from './parameters-cluster.ts';
import { generalParameters } from './parameters-general.ts';
import { memoryParameters } from './parameters-memory.ts';
import { networkParameters } from './parameters-network.ts';
import { replicationParameters } from './parameters-replication.ts';
import { securityParameters } from './parameters-security.ts';
import { snapshotParameters } from './parameters-snapshot.ts';
import { tlsParameters } from './parameters-tls.ts';
import { valkeyParameters } from './parameters-valkey.ts';

type Declared =
  | (typeof networkParameters)[number]
  | (typeof tlsParameters)[number]
  | (typeof generalParameters)[number]
  | (typeof snapshotParameters)[number]
  | (typeof aofParameters)[number]
  | (typeof replicationParameters)[number]
  | (typeof securityParameters)[number]
  | (typeof memoryParameters)[number]
  | (typeof clusterParameters)[number]
  | (typeof advancedParameters)[number]
  | (typeof valkeyParameters)[number];

/** All parameters, family by family. */
export const PARAMETERS: readonly AnyParameter[] = [
  ...networkParameters,
  ...tlsParameters,
  ...generalParameters,
  ...snapshotParameters,
  ...aofParameters,
  ...replicationParameters,
  ...securityParameters,
  ...memoryParameters,
  ...clusterParameters,
  ...advancedParameters,
  ...valkeyParameters,
];

/** A name as redis.conf has it. */
export type ParameterName = Declared['name'];

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

/** What the server reads: `maxmemory-policy` as `maxmemoryPolicy`, each with its own type. */
export type ConfigValues = {
  -readonly [P in Declared as CamelCase<P['name']>]: P extends Parameter<string, infer Exposed>
    ? Exposed
    : never;
};

/** The type of the value of one parameter. */
export type ValueOf<Name extends ParameterName> = ConfigValues[CamelCase<Name> &
  keyof ConfigValues];

/** The property of `ConfigValues` for a name. */
export function propertyName(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

const BY_NAME = new Map<string, AnyParameter>();
const BY_VALKEY_NAME = new Map<string, AnyParameter>();
for (const parameter of PARAMETERS) {
  const { alias, valkeyName } = parameter.traits;
  BY_NAME.set(parameter.name, parameter);
  if (alias !== undefined) BY_NAME.set(alias, parameter);
  if (valkeyName !== undefined) BY_VALKEY_NAME.set(valkeyName, parameter);
}

/** The parameter of a name or alias in any case, or undefined. */
export function findParameter(name: string): AnyParameter | undefined {
  const lower = name.toLowerCase();
  return BY_NAME.get(lower) ?? BY_VALKEY_NAME.get(lower);
}

/** Every name and alias that CONFIG GET may show for a pattern, with its parameter. */
export function* listedNames(): Generator<readonly [name: string, parameter: AnyParameter]> {
  for (const [name, parameter] of BY_NAME) {
    if (parameter.traits.hidden !== true) yield [name, parameter];
  }
}
