import test from "ava";
import { idleModules } from "../../../../lib/install/host/kernel-modules.ts";

test("idleModules() are a cluster's, new, and used by nothing", (t) => {
  const now = [{ name: "nf_conntrack", users: 3 }, { name: "xt_conntrack", users: 0 }, { name: "br_netfilter", users: 0 }, { name: "overlay", users: 0 }, { name: "ext4", users: 0 }, { name: "virtio_net", users: 0 }, { name: "ip_tables", users: 0 }, { name: "nft_compat", users: 0 }];
  t.deepEqual(idleModules(now, ["overlay"]), ["xt_conntrack", "br_netfilter", "ip_tables", "nft_compat"]);
});
