/**
 * A sysctl's name as the runtime wants it, with dots: in one written with slashes the two change places (`net/ipv4/conf/eth0.1/forwarding`
 * is `net.ipv4.conf.eth0/1.forwarding`). Counterpart: component-helpers `node/util/sysctl`.
 */
export function dottedSysctl(name: string): string {
  if (/[./]/.exec(name)?.[0] !== "/") return name;
  return name.replace(/[./]/g, (separator) => (separator === "/" ? "." : "/"));
}
