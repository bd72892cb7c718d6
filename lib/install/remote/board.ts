/**
 * What the operator sees while hosts are worked on: a line for each step that ended; on a terminal, below them, a line for each host at work.
 *
 * The lines are rendered purely; `createBoard` only writes. Without a terminal nothing is ever written over.
 */
export interface HostLine { readonly host: string; readonly title: string; readonly detail: string; readonly sinceMs: number }

export interface Board {
  /** From now on hosts at work have live lines, where there is a terminal. Not before every question is asked: they would be written over. */
  goLive(): void;
  begin(host: string, title: string): void;
  /** What the step is at just now; shown on a terminal only. */
  progress(host: string, detail: string): void;
  end(host: string, detail: string): void;
  fail(host: string): void;
  note(text: string): void;
  /** Takes the live lines away. */
  close(): void;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1).padStart(6)} s`;
// Remote text could hold control characters, which a terminal would obey.
const plain = (text: string): string => text.replaceAll(/\p{Cc}/gu, " ");
const cut = (text: string, columns: number): string => (text.length > columns ? `${text.slice(0, Math.max(0, columns - 1))}…` : text);

export const endedLine = (ms: number, host: string, width: number, title: string, detail: string): string => `${seconds(ms)}  ${host.padEnd(width)}  ${title}${detail === "" ? "" : `: ${plain(detail)}`}`;
/** The live lines, fit to the terminal. More hosts than rows are counted in the last line. */
export function liveLines(lines: readonly HostLine[], nowMs: number, width: number, columns: number, rows: number): string[] {
  const shown = lines.length > rows ? lines.slice(0, Math.max(0, rows - 1)) : lines;
  const text = shown.map((line) => cut(`${seconds(nowMs - line.sinceMs)}  ${line.host.padEnd(width)}  ${line.title} …${line.detail === "" ? "" : ` ${plain(line.detail)}`}`, columns));
  return shown.length < lines.length ? [...text, `          and ${lines.length - shown.length} more`] : text;
}

export interface BoardOutput { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number }
const REDRAW_MS = 100;

/** `hosts` are the names that will be shown, so that columns stand in line. */
export function createBoard(output: BoardOutput, hosts: readonly string[], clock: { monotonicMs(): number; after(ms: number, callback: () => void): () => void }): Board {
  const width = Math.max(0, ...hosts.map((host) => host.length)), running = new Map<string, { title: string; detail: string; sinceMs: number }>(), hasTerminal = output.isTTY === true;
  let live = false, drawn = 0, cancel: (() => void) | undefined;
  const erase = (): string => (drawn === 0 ? "" : `\u001b[${drawn}A\u001b[0J`);
  const draw = (above: string): void => {
    if (!live) { output.write(above); return; }
    const lines = liveLines([...running].map(([host, line]) => ({ host, ...line })), clock.monotonicMs(), width, output.columns ?? 80, Math.max(1, (output.rows ?? 24) - 2));
    output.write(`${erase()}${above}${lines.map((line) => `${line}\n`).join("")}`);
    drawn = lines.length;
  };
  const tick = (): void => { cancel = undefined; if (running.size > 0) { draw(""); schedule(); } };
  const schedule = (): void => { if (live && cancel === undefined) cancel = clock.after(REDRAW_MS, tick); };
  const finish = (host: string, detail: string): void => {
    const line = running.get(host);
    if (line === undefined) return;
    running.delete(host);
    draw(`${endedLine(clock.monotonicMs() - line.sinceMs, host, width, line.title, detail)}\n`);
  };
  return {
    goLive() { live = hasTerminal; if (running.size > 0) schedule(); },
    begin(host, title) { running.set(host, { title, detail: "", sinceMs: clock.monotonicMs() }); schedule(); },
    progress(host, detail) { const line = running.get(host); if (line !== undefined) line.detail = detail; },
    end(host, detail) { finish(host, detail); },
    fail(host) { finish(host, "failed"); },
    note(text) { draw(`${plain(text)}\n`); },
    close() { cancel?.(); cancel = undefined; running.clear(); if (drawn > 0) { output.write(erase()); drawn = 0; } },
  };
}
