/**
 * iptables of one address family, through the host's own tools.
 *
 * Promises: one process a call, no shell; calls that change rules run one after another in this process and wait for the
 * xtables lock of others; a restore is applied as written or fails with the line that was wrong.
 */
import { atLeast, inspectOtherBackend, parseVersion, type BackendInfo, type OtherBackend } from "./backend.ts";
import type { Family, SaveItem } from "./model.ts";
import { parseSave } from "./parse-save.ts";
import { jumpTarget } from "./rule.ts";
import { runProcess, type ProcessResult } from "./run-process.ts";
import { NFT_CHUNK_CHAINS, renderTransaction, type TableChanges } from "./transaction.ts";

export interface IptablesOptions {
  family?: Family;
  /** Put before every command, e.g. `["nsenter", "--net=/run/netns/x"]`. */
  prefix?: readonly string[];
  /** Uses `iptables-nft` or `iptables-legacy` instead of the host's choice. */
  backend?: "nft" | "legacy";
  lockWaitSeconds?: number;
  timeoutMs?: number;
}

export interface Jump {
  readonly table: string;
  readonly chain: string;
  readonly rule: string;
  /** A missing rule goes below the last rule that jumps to a chain of this name; without it, to the top. */
  readonly below?: RegExp;
}

export class IptablesError extends Error {
  override readonly name = "IptablesError";
  /** The wrong line of the restored text, when the tool named it. */
  readonly line: number | undefined;
  constructor(message: string, line?: number) { super(message); this.line = line; }
}

/** Tail of the queue of changes for each family and prefix: shared by all instances of this process. */
const queues = new Map<string, Promise<unknown>>();

export class Iptables {
  readonly family: Family;
  readonly #prefix: readonly string[];
  readonly #program: string;
  readonly #lockWaitSeconds: number;
  readonly #timeoutMs: number;
  #info: Promise<BackendInfo> | undefined;

  constructor({ family = 4, prefix = [], backend, lockWaitSeconds = 5, timeoutMs = 120_000 }: IptablesOptions = {}) {
    this.family = family;
    this.#prefix = prefix;
    this.#program = `${family === 4 ? "iptables" : "ip6tables"}${backend === undefined ? "" : `-${backend}`}`;
    this.#lockWaitSeconds = lockWaitSeconds;
    this.#timeoutMs = timeoutMs;
  }

  /** Version and backend, asked once. Throws IptablesError when there is no usable iptables. */
  info(): Promise<BackendInfo> {
    this.#info ??= this.#readInfo().catch((error: unknown) => { this.#info = undefined; throw error; });
    return this.#info;
  }

  /** What the backend not in use holds, if anything. */
  async otherBackend(): Promise<OtherBackend | undefined> {
    return inspectOtherBackend((await this.info()).backend, this.family, this.#prefix);
  }

  /** Whether MASQUERADE knows `--random-fully`. */
  async hasRandomFully(): Promise<boolean> { return atLeast(await this.info(), [1, 6, 2]); }

  /** The parsed rules of one table, or of all. */
  async save(table?: string): Promise<SaveItem[]> { return parseSave(await this.saveText(table)); }

  async saveText(table?: string, { counters = false }: { counters?: boolean } = {}): Promise<string> {
    const result = await this.#run([`${this.#program}-save`, ...(counters ? ["-c"] : []), ...(table === undefined ? [] : ["-t", table])]);
    if (result.code !== 0) throw new IptablesError(`Cannot save ${table ?? "all tables"}: ${result.stderr.trim()}`);
    return result.stdout;
  }

  /** The rules of one chain, or undefined when there is no such chain. Cheap even beside many rules. */
  async listChain(table: string, chain: string): Promise<string[] | undefined> {
    const result = await this.#run([this.#program, ...(await this.#wait([1, 4, 20])), "-t", table, "-S", chain]);
    if (result.code === 0) return result.stdout.split("\n").filter((line) => line.startsWith("-A ")).map((line) => line.slice(`-A ${chain} `.length));
    if (result.code === 1 && /No chain|does not exist|incompatible|Bad rule|No such file/i.test(result.stderr)) return undefined;
    throw new IptablesError(`Cannot list chain ${chain} of table ${table}: ${result.stderr.trim()}`);
  }

  /** Applies text for `iptables-restore --noflush`. Throws IptablesError with the wrong line; earlier commits of the text then stand. */
  restore(text: string): Promise<void> {
    if (text === "") return Promise.resolve();
    return this.#inTurn(() => this.#restore(text));
  }

  /** Renders and applies changes, cut as this backend likes it. */
  async apply(tables: readonly TableChanges[]): Promise<void> {
    const { backend } = await this.info();
    await this.restore(renderTransaction(tables, { chunkChains: backend === "nft" ? NFT_CHUNK_CHAINS : Infinity }));
  }

  /** Makes sure each rule is in its chain exactly once; missing ones go to the top, in the order given. Returns how many it had to touch. */
  async ensureJumps(jumps: readonly Jump[]): Promise<number> { return this.#inTurn(() => this.#editJumps(jumps, 1)); }

  /** Takes these rules out, however often they are there. Returns how many it removed. */
  async removeJumps(jumps: readonly Jump[]): Promise<number> { return this.#inTurn(() => this.#editJumps(jumps, 0)); }

  async #editJumps(jumps: readonly Jump[], copies: 0 | 1): Promise<number> {
    const chains = new Map<string, { table: string; chain: string; wanted: Jump[] }>();
    for (const jump of jumps) {
      const key = `${jump.table} ${jump.chain}`, group = chains.get(key) ?? { table: jump.table, chain: jump.chain, wanted: [] };
      group.wanted.push(jump);
      chains.set(key, group);
    }
    const lines = new Map<string, string[]>();
    let touched = 0;
    for (const { table, chain, wanted } of chains.values()) {
      const present = await this.listChain(table, chain) ?? [], edits: string[] = [];
      for (const { rule } of wanted) {
        for (let count = present.filter((other) => other === rule).length; count > copies; count--) {
          edits.push(`-D ${chain} ${rule}`);
          present.splice(present.indexOf(rule), 1);
        }
      }
      let top = 0;
      for (const { rule, below } of copies === 0 ? [] : wanted) {
        if (present.includes(rule)) continue;
        const index = below === undefined ? top++ : present.findLastIndex((other) => below.test(jumpTarget(other) ?? "")) + 1;
        edits.push(`-I ${chain} ${index + 1} ${rule}`);
        present.splice(index, 0, rule);
      }
      touched += edits.length;
      if (edits.length > 0) lines.set(table, [...(lines.get(table) ?? []), ...edits]);
    }
    if (touched > 0) await this.#restore([...lines].map(([table, edits]) => `*${table}\n${edits.join("\n")}\nCOMMIT\n`).join(""));
    return touched;
  }

  async #restore(text: string): Promise<void> {
    const argv = [`${this.#program}-restore`, "--noflush", "--counters", ...(await this.#wait([1, 6, 2]))];
    const result = await this.#run(argv, text);
    if (result.code === 0) return;
    const line = Number(/line:? (\d+)/i.exec(result.stderr)?.[1] ?? NaN);
    const wrong = Number.isNaN(line) ? "" : ` at ${JSON.stringify(text.split("\n")[line - 1] ?? "")}`;
    throw new IptablesError(`Cannot restore rules${wrong}: ${result.stderr.trim().split("\n")[0]}`, Number.isNaN(line) ? undefined : line);
  }

  async #readInfo(): Promise<BackendInfo> {
    const result = await this.#run([this.#program, "--version"]);
    if (result.code !== 0) throw new IptablesError(`Cannot use ${this.#program}: ${result.stderr.trim()}`);
    return parseVersion(result.stdout);
  }

  async #wait(since: readonly [number, number, number]): Promise<string[]> {
    const info = await this.info();
    return info.backend === "legacy" && atLeast(info, since) ? ["-w", String(this.#lockWaitSeconds)] : [];
  }

  async #run(argv: readonly string[], input = ""): Promise<ProcessResult> {
    try { return await runProcess([...this.#prefix, ...argv], { input, timeoutMs: this.#timeoutMs }); }
    catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new IptablesError(`Cannot run ${argv[0]}: the program is not installed; install the package iptables`);
      throw error;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const key = `${this.family} ${this.#prefix.join(" ")}`;
    const turn = (queues.get(key) ?? Promise.resolve()).then(work);
    queues.set(key, turn.catch(() => {}));
    return turn;
  }
}
