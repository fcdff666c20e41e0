// What a verifier derives from arguments that a check asks of as addresses or URLs
// (spec/caveats.md, "Addresses and URLs").

import { isIPv4, isIPv6 } from 'node:net';

const bitsOf = (number, width) => Number.parseInt(number, 10).toString(2).padStart(width, '0');
const octets = (address) => address.split('.').map((part) => bitsOf(part, 8)).join('');

// addressBits is the value of arg_ip, undefined for what has no single reading.
export function addressBits(text) {
  if (typeof text !== 'string' || text.includes('%')) return undefined;
  if (isIPv4(text)) return `4:${octets(text)}`;
  if (!isIPv6(text)) return undefined;
  // An IPv4 tail counts for two groups, and :: for as many zeros as are missing.
  const [, groups, tail] = /^(.*?)(\d+\.\d+\.\d+\.\d+)?$/.exec(text);
  const end = tail ? octets(tail) : '';
  const [before, after] = groups.split('::').map((side) => side.split(':').filter((group) => group !== '')
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0')).join(''));
  const bits = after === undefined ? before + end : before.padEnd(128 - after.length - end.length, '0') + after + end;
  const mapped = '0'.repeat(80) + '1'.repeat(16);
  return bits.startsWith(mapped) ? `4:${bits.slice(96)}` : `6:${bits}`;
}

// urlHost is the value of arg_host, undefined for what has no single reading.
export function urlHost(text) {
  if (typeof text !== 'string' || /[\x00-\x20\x7f\\]/.test(text)) return undefined;
  const [, host, port] = /^(?:https?|wss?):\/\/([^/?#:]*)(?::([^/?#]*))?(?:[/?#]|$)/.exec(text) ?? [];
  if (host === undefined || host.length > 253) return undefined;
  if (port !== undefined && (!/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > 65535)) return undefined;
  const labels = host.split('.');
  if (!labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) return undefined;
  if (/^([0-9]+|0x.*)$/.test(labels.at(-1)) && !isIPv4(host)) return undefined;
  return host;
}
