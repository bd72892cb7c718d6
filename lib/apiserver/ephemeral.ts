/**
 * A whole API server in this process with nothing on disk: memory storage, certificates of its own, a free port of loopback.
 * For integration tests of everything that speaks to an API server.
 */
import { createAuthority, issue, type KeyPair } from "../pki/certificate.ts";
import { generateKey, privateKeyPem } from "../pki/keys.ts";
import { MemoryStore } from "../storage/memory-store.ts";
import type { Store } from "../storage/store.ts";
import { systemClock, type Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import { defaultAdmission, defaultHooks } from "./defaults.ts";
import { firstAddress } from "./kubernetes-service.ts";
import { startApiServer, type ApiServer, type ApiServerOptions } from "./server.ts";

export interface EphemeralOptions extends Partial<Pick<ApiServerOptions, "admission" | "hooks" | "streamHandlers" | "inFlight" | "definitions" | "random">> {
  /** Memory when absent; a given one is not closed. */
  readonly store?: Store;
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly authorizationModes?: readonly string[];
  readonly serviceCidr?: string;
}

export interface ClientIdentity { readonly certificatePem: string; readonly keyPem: string }

export interface EphemeralApiServer extends ApiServer {
  readonly caPem: string;
  /** Signs what clients show and the server serves with. */
  readonly authority: KeyPair;
  /** PEM of what signs tokens of service accounts. */
  readonly serviceAccountKeyPem: string;
  /** A member of system:masters. */
  readonly admin: ClientIdentity;
  /** A client certificate for anybody. */
  identity(user: string, groups?: readonly string[]): ClientIdentity;
}

/** Endpoints may not be on loopback, so what the Service leads to is an address of the documentation range. */
const HOST = "127.0.0.1", ADVERTISED = "192.0.2.1", ISSUER = "https://kubernetes.default.svc.cluster.local";

const pem = (pair: KeyPair): ClientIdentity => ({ certificatePem: pair.certificatePem, keyPem: privateKeyPem(pair.key) });

/** Starts one; close it at the end. */
export async function startEphemeralApiServer(options: EphemeralOptions = {}): Promise<EphemeralApiServer> {
  const { clock = systemClock, serviceCidr = "10.96.0.0/16" } = options, now = clock.now();
  const ca = createAuthority({ commonName: "kubernetes", now }), serviceAccountKey = generateKey();
  const serving = issue(ca, { subject: { commonName: "kube-apiserver" }, usages: ["server"], names: [HOST, "localhost", "kubernetes.default.svc"], now });
  const identity = (user: string, groups: readonly string[] = []): ClientIdentity => pem(issue(ca, { subject: { commonName: user, organizations: [...groups] }, usages: ["client"], now }));
  const store = options.store ?? new MemoryStore(), authorities = [ca.certificate];
  const server = await startApiServer({
    store, clock, host: HOST, port: 0,
    certificates: { certificatePem: serving.certificatePem, keyPem: privateKeyPem(serving.key), clientCaPem: ca.certificatePem },
    auth: {
      clientAuthorities: () => authorities, frontProxy: undefined, serviceAccountKeys: [serviceAccountKey], serviceAccountSigningKey: serviceAccountKey,
      serviceAccountIssuers: [ISSUER], apiAudiences: [ISSUER], maxTokenExpirationSeconds: 0, extendTokenExpiration: true, tokenFile: undefined, anonymous: true, bootstrapTokens: true,
      authorizationModes: options.authorizationModes ?? ["Node", "RBAC"], jwksUri: `${ISSUER}/openid/v1/jwks`,
    },
    inFlight: options.inFlight ?? { readsMax: 400, writesMax: 200 },
    kubernetesService: { clusterIp: firstAddress(serviceCidr), advertiseAddress: ADVERTISED, serviceCidrs: [serviceCidr] },
    admission: options.admission ?? defaultAdmission({}), hooks: options.hooks ?? defaultHooks({ serviceCidrs: [serviceCidr] }), streamHandlers: options.streamHandlers ?? (() => []),
    ...(options.log === undefined ? {} : { log: options.log }), ...(options.definitions === undefined ? {} : { definitions: options.definitions }), ...(options.random === undefined ? {} : { random: options.random }),
  });
  return {
    ...server, caPem: ca.certificatePem, authority: ca, serviceAccountKeyPem: privateKeyPem(serviceAccountKey), admin: identity("kubernetes-admin", ["system:masters"]), identity,
    close: async () => {
      await server.close();
      if (options.store === undefined) await store.close();
    },
  };
}
