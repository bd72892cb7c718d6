import test from "ava";
import { chooseAddress } from "../../../../lib/install/host/address.ts";

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
