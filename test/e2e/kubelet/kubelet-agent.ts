/** Starts `agent.ts` inside a test host and talks to it. */
import { spawn, type ChildProcess } from "node:child_process";
import path from "node:path";
import type { Pod } from "../../../lib/api/schema/generated/models.ts";
import type { ToldEvent } from "./agent.ts";
import type { TestHost } from "./test-host.ts";

export class KubeletAgent {
  readonly #child: ChildProcess;
  #ids = 0;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  readonly ready: Promise<unknown>;

  constructor(host: TestHost) {
    const { file, args } = host.enter([process.execPath, "--no-warnings", path.join(import.meta.dirname, "agent.ts"), host.endpoint.inside, host.cgroupRoot, "/var/lib/kubelet"]);
    this.#child = spawn(file, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.ready = new Promise((resolve, reject) => { this.#waiting.set(0, { resolve, reject }); });
    this.#child.on("message", (message: { id: number; value?: unknown; error?: string }) => {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.error === undefined) waiting?.resolve(message.value); else waiting?.reject(new Error(message.error));
    });
    this.#child.on("exit", (code) => { for (const { reject } of this.#waiting.values()) reject(new Error(`agent exited with ${code}`)); });
  }

  ask<T = unknown>(op: string, request: Record<string, unknown> = {}): Promise<T> {
    const id = ++this.#ids;
    return new Promise<unknown>((resolve, reject) => { this.#waiting.set(id, { resolve, reject }); this.#child.send({ id, op, ...request }); }) as Promise<T>;
  }

  create(pod: Pod): Promise<Pod> { return this.ask("create", { object: pod }); }
  pod(name: string): Promise<Pod | null> { return this.ask("get", { namespace: "default", name }); }
  untilPod(name: string, at: string, equals: unknown, timeoutMs?: number): Promise<Pod> { return this.ask("until", { namespace: "default", name, path: at, equals, timeoutMs }); }
  untilGone(name: string, timeoutMs?: number): Promise<unknown> { return this.ask("until", { namespace: "default", name, equals: null, timeoutMs }); }
  deletePod(name: string, parameters: object = {}): Promise<void> { return this.ask("delete", { namespace: "default", name, parameters }); }
  async events(name: string): Promise<ToldEvent[]> { return (await this.ask<ToldEvent[]>("events")).filter((event) => event.name === name); }

  async stop(): Promise<void> {
    const exited = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.disconnect();
    await exited;
  }
}
