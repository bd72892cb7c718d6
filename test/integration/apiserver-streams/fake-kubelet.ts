/**
 * A kubelet's server without containers: exec answers with what it read, in upper case, or runs the command on this machine; logs
 * and port-forward echo. Real TLS, real SPDY.
 */
import { spawn } from "node:child_process";
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
  /** How many connections to it are open. */
  connections(): Promise<number>;
  close(): void;
}

type Streams = ReadonlyMap<string, SpdyStream>;
/** What an exec or attach (which has no command) does; returns the exit code. */
export type Program = (streams: Streams, command: readonly string[], entry: FakeKubelet["seen"][number]) => Promise<number>;

export async function startFakeKubelet(program: Program = shout): Promise<FakeKubelet> {
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
        if (streams.size === expected) run(program, streams, url.searchParams.getAll("command"), entry).then(() => accepted?.connection.close(), () => accepted?.connection.destroy());
      },
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port, seen, tls: { certificatePem: client.certificatePem, keyPem: privateKeyPem(client.key), authorityPem: ca.certificatePem },
    connections: () => new Promise((resolve, reject) => { server.getConnections((error, count) => { if (error === null) resolve(count); else reject(error); }); }),
    close: () => { server.close(); server.closeAllConnections(); },
  };
}

async function run(program: Program, streams: Streams, command: readonly string[], entry: FakeKubelet["seen"][number]): Promise<void> {
  const stdout = streams.get("stdout"), stderr = streams.get("stderr"), error = streams.get("error")!;
  streams.get("resize")?.on("data", (part: Buffer) => entry.resizes.push(part.toString()));
  const code = await program(streams, command, entry);
  error.end(JSON.stringify(code === 0 ? { metadata: {}, status: "Success" }
    : { metadata: {}, status: "Failure", message: `command terminated with non-zero exit code: exit status ${code}`, reason: "NonZeroExitCode", details: { causes: [{ reason: "ExitCode", message: String(code) }] } }));
  for (const stream of [stdout, stderr, error]) if (stream !== undefined && !stream.writableFinished) await once(stream, "finish");
}

/** Answers with its input in upper case; `big` writes megabytes and `fail` ends with 3. */
async function shout(streams: Streams, command: readonly string[], entry: FakeKubelet["seen"][number]): Promise<number> {
  const stdin = streams.get("stdin"), stdout = streams.get("stdout"), stderr = streams.get("stderr");
  if (command[0] === "big") { for (let i = 0; i < 100; i++) if (!stdout!.write(Buffer.alloc(64 * 1024, 0x78))) await once(stdout!, "drain"); }
  if (stdin !== undefined) {
    for await (const part of stdin) stdout?.write((part as Buffer).toString().toUpperCase());
    entry.stdinEnded = true;
  }
  stdout?.end(`ran ${command.join(" ")}`);
  stderr?.end("complaint");
  return command[0] === "fail" ? 3 : 0;
}

/** Runs what is asked as a process of this machine, in `cwd`; an attach speaks with `attached`. */
export const processProgram = ({ cwd, attached }: { cwd: string; attached: readonly string[] }): Program => async (streams, asked) => {
  const [file, ...args] = asked.length === 0 ? attached : asked, child = spawn(file!, args, { cwd, stdio: "pipe" });
  const failed = new Promise<number>((resolve) => { child.once("error", (error) => { streams.get("stderr")?.write(`${error.message}\n`); resolve(127); }); });
  const stdin = streams.get("stdin"), ended = new Promise<number>((resolve) => { child.once("close", (code) => resolve(code ?? 137)); });
  child.stdin.on("error", () => { /* It may end before it has read everything. */ });
  if (stdin === undefined) child.stdin.end(); else stdin.pipe(child.stdin);
  for (const name of ["stdout", "stderr"] as const) { const stream = streams.get(name); if (stream === undefined) child[name].resume(); else child[name].pipe(stream, { end: false }); }
  const code = await Promise.race([ended, failed]);
  streams.get("stdout")?.end();
  streams.get("stderr")?.end();
  return code;
};
