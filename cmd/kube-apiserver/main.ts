/** kube-apiserver: the Kubernetes API over one store. Flags as upstream's. */
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { setFlagsFromString } from "node:v8";
import type { AuthOptions } from "../../lib/apiserver/authn.ts";
import { AUTHORIZATION_MODES } from "../../lib/apiserver/authn.ts";
import { defaultAdmission, defaultHooks } from "../../lib/apiserver/defaults.ts";
import { firstAddress } from "../../lib/apiserver/kubernetes-service.ts";
import { startApiServer, type ApiServerOptions } from "../../lib/apiserver/server.ts";
import { ServingFileReader } from "../../lib/apiserver/serving-files.ts";
import type { KubeletClientOptions } from "../../lib/apiserver/streams/kubelet-connection.ts";
import { streamHandlers } from "../../lib/apiserver/streams/stream-handlers.ts";
import { Credentials } from "../../lib/client/credentials.ts";
import { parsePublicKeys } from "../../lib/pki/keys.ts";
import { Compactor } from "../../lib/storage/compactor.ts";
import { openSqliteStore } from "../../lib/storage/sqlite-store.ts";
import type { Store } from "../../lib/storage/store.ts";
import { aborted, shutdownSignal } from "../../lib/util/abort.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { runDaemon } from "../../lib/util/daemon.ts";
import { FlagError } from "../../lib/util/flags.ts";
import type { Logger } from "../../lib/util/logger.ts";
import type { Readiness } from "../../lib/util/service-notifier.ts";
import { FLAGS, parse, type Flags } from "./flags.ts";
import { oidcOptions } from "./oidc-flags.ts";

/** Calls after which V8 compiles a function for speed. By its own 3,000 the first many thousand writes of a server take twice as long as those behind them. */
const CALLS_BEFORE_OPTIMIZING = 1_000;

/** Runs until SIGTERM. Returns the exit code. */
export const main = (argv: readonly string[]): Promise<number> => runDaemon({ name: "kube-apiserver", flags: FLAGS, parse, run }, argv);

async function run(flags: Flags, log: Logger, readiness: Readiness): Promise<void> {
  const signal = shutdownSignal();
  const files = new ServingFileReader({
    certificateFile: flags["tls-cert-file"]!, keyFile: flags["tls-private-key-file"]!,
    clientCaFile: flags["client-ca-file"], frontProxyCaFile: flags["requestheader-client-ca-file"],
  }, log);
  const failed = new AbortController(), stop = AbortSignal.any([signal, failed.signal]);
  // A store that lost its disk can acknowledge nothing more: end, and let whoever watches over us start again.
  const store = await openSqliteStore({ file: flags["data-file"], log, onFailure: () => failed.abort() });
  try {
    const server = await startApiServer({ ...serverOptions(flags, files, store, log), onLost: () => failed.abort() });
    setFlagsFromString(`--invocation-count-for-turbofan=${CALLS_BEFORE_OPTIMIZING}`);
    files.follow((serving) => server.setCertificates(serving), stop);
    log.info({ url: server.url, version: "v1.36.0" }, "READY");
    readiness.ready();
    const compacting = new Compactor({ store, clock: systemClock, log }).run(stop);
    await aborted(stop);
    log.info({}, "stopping");
    await Promise.all([server.close(), compacting]);
  } finally { await store.close(); }
  if (failed.signal.aborted) throw new Error("Cannot go on: the store failed or feeds the caches no more");
}

function serverOptions(flags: Flags, files: ServingFileReader, store: Store, log: Logger): ApiServerOptions {
  const serviceCidrs = flags["service-cluster-ip-range"].split(",");
  return {
    store, log, clock: systemClock, host: flags["bind-address"], port: flags["secure-port"], certificates: files.serving, auth: authOptions(flags, files),
    inFlight: { readsMax: flags["max-requests-inflight"], writesMax: flags["max-mutating-requests-inflight"] },
    eventTtlMs: flags["event-ttl"],
    kubernetesService: { clusterIp: firstAddress(serviceCidrs[0]!), advertiseAddress: flags["advertise-address"] ?? defaultAddress(flags["bind-address"]), serviceCidrs },
    admission: defaultAdmission({
      enable: flags["enable-admission-plugins"], disable: flags["disable-admission-plugins"],
      notReadyTolerationSeconds: flags["default-not-ready-toleration-seconds"], unreachableTolerationSeconds: flags["default-unreachable-toleration-seconds"],
    }),
    hooks: defaultHooks({ serviceCidrs, nodePortRange: flags["service-node-port-range"] }),
    streamHandlers: ({ cache }) => streamHandlers({ cache }, kubeletClient(flags)),
  };
}

/** How the server shows itself to kubelets. The files are looked at again as connections are made: renewed ones need no restart, and a pair is taken whole or not at all. */
function kubeletClient(flags: Flags): KubeletClientOptions {
  const files = { caFile: flags["kubelet-certificate-authority"], certificateFile: flags["kubelet-client-certificate"], keyFile: flags["kubelet-client-key"] };
  const credentials = new Credentials({ server: "https://kubelet", ...files }, () => systemClock.monotonicMs());
  return {
    tls: () => { const { ca, cert, key } = credentials.tls(); return { certificatePem: cert, keyPem: key, authorityPem: ca }; },
    preferredAddressTypes: flags["kubelet-preferred-address-types"],
  };
}

function authOptions(flags: Flags, files: ServingFileReader): AuthOptions {
  const issuers = flags["service-account-issuer"], unknown = flags["authorization-mode"].find((mode) => !(AUTHORIZATION_MODES as readonly string[]).includes(mode));
  if (unknown !== undefined) throw new FlagError(`authorization-mode ${JSON.stringify(unknown)} is not a valid mode, valid are ${AUTHORIZATION_MODES.join(", ")}`);
  const signingKey = createPrivateKey(readFileSync(flags["service-account-signing-key-file"]!));
  const keyFiles = flags["service-account-key-file"];
  return {
    clientAuthorities: files.clientAuthorities,
    frontProxy: flags["requestheader-client-ca-file"] === undefined ? undefined : {
      authorities: files.frontProxyAuthorities, allowedNames: flags["requestheader-allowed-names"], usernameHeaders: flags["requestheader-username-headers"],
      uidHeaders: flags["requestheader-uid-headers"], groupHeaders: flags["requestheader-group-headers"], extraHeaderPrefixes: flags["requestheader-extra-headers-prefix"],
    },
    serviceAccountKeys: keyFiles.length > 0 ? keyFiles.flatMap((file) => parsePublicKeys(readFileSync(file, "utf8"))) : parsePublicKeys(readFileSync(flags["service-account-signing-key-file"]!, "utf8")),
    serviceAccountSigningKey: signingKey, serviceAccountIssuers: issuers,
    apiAudiences: flags["api-audiences"].length > 0 ? flags["api-audiences"] : issuers,
    maxTokenExpirationSeconds: flags["service-account-max-token-expiration"] / 1000, extendTokenExpiration: flags["service-account-extend-token-expiration"],
    tokenFile: flags["token-auth-file"] === undefined ? undefined : readFileSync(flags["token-auth-file"], "utf8"),
    oidc: oidcOptions(flags), anonymous: flags["anonymous-auth"], bootstrapTokens: flags["enable-bootstrap-token-auth"], authorizationModes: flags["authorization-mode"],
    jwksUri: flags["service-account-jwks-uri"] ?? `${issuers[0]!.replace(/\/$/, "")}/openid/v1/jwks`,
  };
}

/** The address others reach us at, when none is given: the bound one, or the first that is not loopback. */
function defaultAddress(bind: string): string {
  if (bind !== "0.0.0.0" && bind !== "::") return bind;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []).filter((each) => !each.internal && each.family === "IPv4");
  const first = addresses[0]?.address;
  if (first === undefined) throw new Error("Cannot find an address to advertise: this machine has only loopback, give --advertise-address");
  return first;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
