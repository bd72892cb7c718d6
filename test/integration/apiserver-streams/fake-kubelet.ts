/** A kubelet's server that runs nothing: exec answers with what it read, in upper case; logs and port-forward echo. Real TLS, real SPDY. */
import { once } from "node:events";
import https from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { createAuthority, issue, readSubject } from "../../../lib/pki/certificate.ts";
import { privateKeyPem } from "../../../lib/pki/keys.ts";
import type { SpdyStream } from "../../../lib/streams/spdy/spdy-stream.ts";
import { acceptSpdy } from "../../../lib/streams/spdy/upgrade.ts";

export interface FakeKubelet {
  readonly port: number;
  readonly seen: { url: string; client: string | undefined; resizes: string[]; stdinEnded: boolean }[];
  readonly tls: { certificatePem: string; keyPem: string; authorityPem: string };
  close(): void;
}

export async function startFakeKubelet(): Promise<FakeKubelet> {
  const now = new Date(), ca = createAuthority({ commonName: "kubelets", now });
  const serving = issue(ca, { subject: { commonName: "kubelet" }, usages: ["server"], names: ["127.0.0.1"], now });
  const client = issue(ca, { subject: { commonName: "kube-apiserver-kubelet-client", organizations: ["kubeadm:cluster-admins"] }, usages: ["client"], now });
  const seen: FakeKubelet["seen"] = [];
  const server = https.createServer({ cert: serving.certificatePem, key: privateKeyPem(serving.key), ca: ca.certificatePem, requestCert: true, rejectUnauthorized: true });
  const note = (request: { url?: string | undefined; socket: unknown }) => {
    const raw = ((request.socket as TLSSocket).getPeerCertificate() as { raw?: Buffer }).raw, entry = { url: request.url ?? "", client: raw === undefined ? undefined : readSubject(raw).commonName, resizes: [] as string[], stdinEnded: false };
    seen.push(entry);
    return entry;
  };
  server.on("request", (request, response) => {
    note(request);
    if (request.url!.includes("/waiting/")) { response.writeHead(400).end('container "c" in pod "waiting" is waiting to start: ContainerCreating'); return; }
    if (request.url!.startsWith("/containerLogs/")) {
      response.writeHead(200, { "content-type": "text/plain" }).write("first\n");
      const timer = setTimeout(() => response.end("second\n"), 50);
      response.on("close", () => clearTimeout(timer));
      return;
    }
    response.writeHead(200, { "content-type": "text/plain", "x-seen-method": request.method! });
    request.pipe(response.on("error", () => {}));
    if (request.method === "GET") response.end(`proxied ${request.url}`);
  });
  server.on("upgrade", (request, socket, head) => {
    const entry = note(request), url = new URL(request.url!, "https://kubelet");
    if (url.pathname.includes("/gone/")) { socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 25\r\nConnection: close\r\n\r\ncontainer not found ("c")'); return; }
    if (url.pathname.startsWith("/portForward/")) {
      acceptSpdy(request.headers, socket, head, { protocols: ["portforward.k8s.io"], onStream: (stream) => { stream.reply(); if (stream.headers.streamtype === "data") stream.pipe(stream); else stream.resume().end(); } });
      return;
    }
    const expected = 1 + ["input", "output", "error", "tty"].filter((name) => url.searchParams.has(name)).length - (url.searchParams.has("tty") && url.searchParams.has("error") ? 1 : 0);
    const streams = new Map<string, SpdyStream>();
    const accepted = acceptSpdy(request.headers, socket, head, {
      protocols: ["v4.channel.k8s.io"],
      onStream: (stream) => {
        stream.reply();
        streams.set(stream.headers.streamtype!, stream);
        if (streams.size === expected) run(streams, url.searchParams.getAll("command"), entry).then(() => accepted?.connection.close(), () => accepted?.connection.destroy());
      },
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port, seen, tls: { certificatePem: client.certificatePem, keyPem: privateKeyPem(client.key), authorityPem: ca.certificatePem },
    close: () => { server.close(); server.closeAllConnections(); },
  };
}

async function run(streams: ReadonlyMap<string, SpdyStream>, command: readonly string[], entry: FakeKubelet["seen"][number]): Promise<void> {
  const stdin = streams.get("stdin"), stdout = streams.get("stdout"), stderr = streams.get("stderr"), error = streams.get("error")!;
  streams.get("resize")?.on("data", (part: Buffer) => entry.resizes.push(part.toString()));
  if (command[0] === "big") { for (let i = 0; i < 100; i++) if (!stdout!.write(Buffer.alloc(64 * 1024, 0x78))) await once(stdout!, "drain"); }
  if (stdin !== undefined) {
    for await (const part of stdin) stdout?.write((part as Buffer).toString().toUpperCase());
    entry.stdinEnded = true;
  }
  stdout?.end(`ran ${command.join(" ")}`);
  stderr?.end("complaint");
  const code = command[0] === "fail" ? 3 : 0;
  error.end(JSON.stringify(code === 0 ? { metadata: {}, status: "Success" }
    : { metadata: {}, status: "Failure", message: `command terminated with non-zero exit code: exit status ${code}`, reason: "NonZeroExitCode", details: { causes: [{ reason: "ExitCode", message: String(code) }] } }));
  for (const stream of [stdout, stderr, error]) if (stream !== undefined && !stream.writableFinished) await once(stream, "finish");
}
