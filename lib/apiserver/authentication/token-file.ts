/**
 * `--token-auth-file`: a CSV of token, user, uid and optionally a quoted list of groups.
 * Counterpart: apiserver `authentication/token/tokenfile`.
 */
import type { UserInfo } from "../contracts.ts";
import type { TokenAuthenticator, TokenIdentity } from "./token-authenticator.ts";

export class TokenFileAuthenticator implements TokenAuthenticator {
  readonly #users: ReadonlyMap<string, UserInfo>;
  /** `text` is the file's content. Throws with the line's number when it is malformed. */
  constructor(text: string) { this.#users = parseTokenFile(text); }
  authenticateToken(token: string): TokenIdentity | undefined {
    const user = this.#users.get(token);
    return user === undefined ? undefined : { user };
  }
}

export function parseTokenFile(text: string): Map<string, UserInfo> {
  const users = new Map<string, UserInfo>();
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === "") return;
    const columns = parseCsvLine(line);
    if (columns.length < 3) throw new Error(`Cannot read the token file, line ${index + 1}: it must have at least 3 columns (token, user name, user uid), found ${columns.length}`);
    const [token = "", name = "", uid = "", groups = ""] = columns;
    if (token === "") return; // Upstream skips such lines too.
    users.set(token, { name, uid, groups: groups === "" ? [] : groups.split(",").map((group) => group.trim()) });
  });
  return users;
}

function parseCsvLine(line: string): string[] {
  const columns: string[] = [];
  let column = "", quoted = false;
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!;
    if (quoted) {
      if (character !== '"') column += character;
      else if (line[i + 1] === '"') { column += '"'; i++; }
      else quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === ",") { columns.push(column.trim()); column = ""; }
    else column += character;
  }
  return [...columns, column.trim()];
}
