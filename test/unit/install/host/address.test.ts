import test from "ava";
import { chooseAddress, realAddresses } from "../../../../lib/install/host/address.ts";

const nat = { interface: "eth0", address: "10.0.2.15" }, lan = { interface: "eth1", address: "192.168.56.11" }, other = { interface: "eth2", address: "172.20.0.4" };

test("chooseAddress() passes over Vagrant's first interface, which is the same on every machine", (t) => {
  t.is(chooseAddress({ addresses: [nat, lan], defaultInterface: "eth0" }), lan.address);
});
test("chooseAddress() takes the address the kernel sends from towards the master", (t) => {
  t.is(chooseAddress({ addresses: [nat, lan, other], towardsMaster: other.address, defaultInterface: "eth1" }), other.address);
});
test("chooseAddress() prefers the default route's interface, and leaves container bridges out", (t) => {
  t.is(chooseAddress({ addresses: [lan, other], defaultInterface: "eth2" }), other.address);
  t.is(chooseAddress({ addresses: [lan, { interface: "docker0", address: "172.17.0.1" }] }), lan.address);
});
test("chooseAddress() asks when it cannot tell, and says what there is", (t) => {
  t.throws(() => chooseAddress({ addresses: [lan, other] }), { message: /192\.168\.56\.11 \(eth1\), 172\.20\.0\.4 \(eth2\).*--advertise-address/ });
  t.throws(() => chooseAddress({ addresses: [nat] }), { message: /other hosts can reach/ });
});
test("chooseAddress() refuses an address that is not the host's", (t) => {
  t.is(chooseAddress({ addresses: [nat, lan], wanted: nat.address }), nat.address);
  t.throws(() => chooseAddress({ addresses: [lan], wanted: "192.0.2.1" }), { message: /no address of this host; there are 192\.168\.56\.11/ });
});

const at = (name: string, address: string) => ({ interface: name, address });
const HOSTS: readonly [what: string, question: Parameters<typeof chooseAddress>[0], chosen: string][] = [
  ["Multipass: one interface", { addresses: [at("enp0s1", "192.168.64.7")], defaultInterface: "enp0s1" }, "192.168.64.7"],
  ["Vagrant with VirtualBox: NAT first, joining over the private network", { addresses: [at("eth0", "10.0.2.15"), at("eth1", "192.168.56.12")], defaultInterface: "eth0", towardsMaster: "192.168.56.12" }, "192.168.56.12"],
  ["Vagrant, and the master was named by an address beyond NAT", { addresses: [at("eth0", "10.0.2.15"), at("eth1", "192.168.56.12")], defaultInterface: "eth0", wanted: "192.168.56.12" }, "192.168.56.12"],
  ["cloud: public by default, the master on the private side", { addresses: [at("eth0", "198.51.100.4"), at("eth1", "10.116.0.3")], defaultInterface: "eth0", towardsMaster: "10.116.0.3" }, "10.116.0.3"],
  ["cloud: a master takes the interface of the default route", { addresses: [at("eth0", "198.51.100.4"), at("eth1", "10.116.0.3")], defaultInterface: "eth0" }, "198.51.100.4"],
  ["cloud: unless it is told otherwise", { addresses: [at("eth0", "198.51.100.4"), at("eth1", "10.116.0.3")], defaultInterface: "eth0", wanted: "10.116.0.3" }, "10.116.0.3"],
  ["a desk with Docker, a VPN and another cluster's bridge", { addresses: [at("docker0", "172.17.0.1"), at("wg0", "10.8.0.2"), at("tailscale0", "100.64.0.9"), at("cni0", "10.244.0.1"), at("eno1", "192.168.1.20")], defaultInterface: "wg0" }, "192.168.1.20"],
  ["two addresses on one interface", { addresses: [at("eth0", "192.0.2.4"), at("eth0", "192.0.2.5")], defaultInterface: "eth0" }, "192.0.2.4"],
];
for (const [what, question, chosen] of HOSTS) test(`chooseAddress() on a host such as ${what}: ${chosen}`, (t) => { t.is(chooseAddress(question), chosen); });

test("realAddresses() are those others may reach: no loopback, bridge, tunnel or link-local one", (t) => {
  const v4 = (address: string, internal = false) => ({ address, family: "IPv4", internal });
  t.deepEqual(realAddresses({ lo: [v4("127.0.0.1", true)], docker0: [v4("172.17.0.1")], "kaji.1": [v4("10.244.1.0")], eth1: [v4("192.0.2.9"), v4("169.254.3.4"), { address: "2001:db8::1", family: "IPv6", internal: false }], eth0: [v4("192.0.2.10")] }), ["192.0.2.10", "192.0.2.9"]);
});
