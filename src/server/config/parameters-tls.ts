/**
 * TLS, which does not exist here: switching it on is refused. Its other parameters are kept, so
 * that a file that carries them beside `tls-port 0` loads.
 */
import { choice, flag, INT_MAX, integer, optionalText, port } from './parameter.ts';

const NO_CLUSTER = 'there is no cluster mode';
const NO_TLS = 'there is no TLS: remove this line, or say';

export const tlsParameters = [
  port('tls-port', 0, 'TCP port for TLS; 0 listens on none.', {
    check: (value) => (value === 0n ? undefined : `${NO_TLS} tls-port 0`),
  }),
  optionalText('tls-cert-file', 'Certificate of the server (PEM).'),
  optionalText('tls-key-file', 'Private key of the server (PEM).'),
  optionalText('tls-key-file-pass', 'Password of the private key.', { sensitive: true }),
  optionalText('tls-client-cert-file', 'Certificate for the connection to the primary.'),
  optionalText('tls-client-key-file', 'Private key for the connection to the primary.'),
  optionalText('tls-client-key-file-pass', 'Password of that private key.', { sensitive: true }),
  optionalText('tls-dh-params-file', 'Diffie-Hellman parameters (PEM).'),
  optionalText('tls-ca-cert-file', 'Certificates of the trusted authorities (PEM).'),
  optionalText('tls-ca-cert-dir', 'Folder of certificates of the trusted authorities.'),
  choice('tls-auth-clients', ['no', 'yes', 'optional'], 'yes', 'Ask clients for certificates.'),
  flag('tls-replication', false, 'Reach the primary over TLS.', {
    check: (value) => (value ? `${NO_TLS} tls-replication no` : undefined),
  }),
  flag('tls-cluster', false, 'Use TLS on the cluster bus.', { inert: NO_CLUSTER }),
  optionalText('tls-protocols', 'Protocol versions that are allowed.'),
  optionalText('tls-ciphers', 'Ciphers for TLS 1.2 and before.'),
  optionalText('tls-ciphersuites', 'Ciphers for TLS 1.3.'),
  flag('tls-prefer-server-ciphers', false, "Prefer the server's order of ciphers."),
  flag('tls-session-caching', true, 'Let clients resume TLS sessions.'),
  integer('tls-session-cache-size', [0, INT_MAX], 20 * 1024, 'TLS sessions to remember.'),
  integer('tls-session-cache-timeout', [0, INT_MAX], 300, 'Seconds to remember one.'),
] as const;
