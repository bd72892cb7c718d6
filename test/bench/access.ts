/** What every request pays before its handler: authentication by a ServiceAccount token and authorization, with the bootstrap roles in force. Target: under 10 µs. */
import type { KubeObject } from "../../lib/api/resource-definition.ts";
import type { ResourceReference } from "../../lib/api/reference.ts";
import { pods, serviceaccounts } from "../../lib/api/schema/generated/references.ts";
import type { AuthenticationV1TokenRequest, Pod } from "../../lib/api/schema/generated/models.ts";
import { NodeGraph } from "../../lib/apiserver/authorization/node-graph.ts";
import { buildAuth } from "../../lib/apiserver/authn.ts";
import { bootstrapCluster } from "../../lib/apiserver/bootstrap/bootstrap.ts";
import type { UserInfo } from "../../lib/apiserver/contracts.ts";
import { generateKey } from "../../lib/pki/keys.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { silentLogger } from "../../lib/util/logger.ts";
import { FakeCache } from "../unit/apiserver/fake-cache.ts";
import type { Print } from "./run.ts";

const ROUNDS = 5, CALLS = 100_000, ISSUER = "https://kubernetes.default.svc";

export async function run(print: Print): Promise<void> {
  const cache = new FakeCache(), key = generateKey("rsa");
  const put = <T extends KubeObject>(resource: ResourceReference<T>, object: T): Promise<T> => Promise.resolve(cache.put(resource, object));
  await bootstrapCluster({ cache, writer: { create: put, update: put, remove: () => Promise.resolve() }, log: silentLogger });
  cache.put(serviceaccounts, { metadata: { namespace: "kube-system", name: "replicaset-controller" } });
  for (let i = 0; i < 5_000; i++) cache.put(pods, { metadata: { namespace: `ns-${i % 50}`, name: `p-${i}` }, spec: { nodeName: `n-${i % 100}`, containers: [{ name: "c" }], serviceAccountName: "default" } } as Partial<Pod> & { metadata: Pod["metadata"] });
  const graph = new NodeGraph(cache);
  graph.start();
  const auth = buildAuth({ cache, clock: systemClock, graph }, {
    clientAuthorities: () => [], frontProxy: undefined, serviceAccountKeys: [key], serviceAccountSigningKey: key, serviceAccountIssuers: [ISSUER], apiAudiences: [ISSUER], maxTokenExpirationSeconds: 0,
    extendTokenExpiration: true, tokenFile: undefined, anonymous: true, bootstrapTokens: true, authorizationModes: ["Node", "RBAC"], jwksUri: ISSUER,
  });
  const issued = await auth.createHandlers.get("serviceaccounts/token")!({ metadata: {}, spec: {} } as unknown as KubeObject, { user: { name: "", groups: [] }, namespace: "kube-system", name: "replicaset-controller", dryRun: false, addWarning() {} });
  const token = Buffer.from(`Bearer ${(issued as AuthenticationV1TokenRequest).status!.token}`);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    for (let i = 0; i < CALLS; i++) {
      // A string of its own each time, as from the wire.
      const user = auth.authenticator.authenticate({ clientCertificate: undefined, authorization: token.toString("latin1"), headers: {} }) as UserInfo;
      const { decision } = auth.authorizer.authorize({ user, verb: "create", isResourceRequest: true, path: "", apiGroup: "", apiVersion: "v1", resource: "pods", subresource: "", namespace: `ns-${i % 50}`, name: "" });
      if (decision !== "allow") throw new Error("the bench's own request was refused");
    }
    times.push(((performance.now() - begin) * 1_000) / CALLS);
  }
  auth.stop();
  const median = times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
  print({ what: "authenticate and authorize", microsecondsPerRequest: Number(median.toFixed(2)), rounds: times.map((time) => Number(time.toFixed(2))), calls: CALLS });
}
