/**
 * The process title: a template with variables in braces.
 *
 *     {title} {listen-addr} {server-mode}   ->   cairn-server 127.0.0.1:6379
 */

/** What the variables stand for; one without a value is left empty. */
export interface TitleVariables {
  readonly title: string;
  readonly 'listen-addr': string;
  readonly 'server-mode': string;
  readonly port: string;
  readonly 'tls-port': string;
  readonly unixsocket: string;
  readonly 'config-file': string;
}

const NAMES: ReadonlySet<string> = new Set<keyof TitleVariables>([
  'title',
  'listen-addr',
  'server-mode',
  'port',
  'tls-port',
  'unixsocket',
  'config-file',
]);

/**
 * A message when the template has an open brace or an unknown variable, or when nothing may come of
 * it: a redis-server that is to read the file finds its title empty at that moment.
 */
export function checkTitleTemplate(template: string): string | undefined {
  const rest = template.replace(/\{([^{}]*)\}/g, (whole, name) => {
    if (!NAMES.has(name)) return whole;
    return name === 'title' || name === 'server-mode' ? '' : 'x';
  });
  if (rest.trim() !== '' && !/[{}]/.test(rest)) return undefined;
  return 'template format is invalid or contains unknown variables';
}

/** The title; spaces that an empty variable leaves at the end are cut. */
export function formatTitle(template: string, variables: TitleVariables): string {
  const values = new Map<string, string>(Object.entries(variables));
  return template.replace(/\{([^{}]*)\}/g, (_whole, name) => values.get(name) ?? '').trimEnd();
}
