/**
 * Field selectors: `metadata.name=web,status.phase!=Running`. Every term is an equality; `\` escapes `,` `=` and itself.
 * Counterpart: apimachinery `fields`.
 */
import { badRequest } from "../status-error.ts";

export interface FieldRequirement { readonly field: string; readonly operator: "=" | "!="; readonly value: string }
export interface FieldMatcher { readonly requirements: readonly FieldRequirement[] }

/** A selector text upstream would refuse. */
export class FieldSelectorError extends Error { override readonly name = "FieldSelectorError"; }

/** Terms between unescaped commas, escapes kept. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === ",") { terms.push(text.slice(start, i)); start = i + 1; }
  }
  terms.push(text.slice(start));
  return terms.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function unescapeValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text;
  let value = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === "," || c === "=") throw new FieldSelectorError(`invalid field selector: unescaped character in value: ${c.codePointAt(0)}`);
    if (c !== "\\") { value += c; continue; }
    const next = text[++i];
    if (next === undefined) throw new FieldSelectorError("invalid field selector: invalid escape sequence: \\");
    if (next !== "\\" && next !== "," && next !== "=") throw new FieldSelectorError(`invalid field selector: invalid escape sequence: \\${next}`);
    value += next;
  }
  return value;
}

/** Writes a value so that it reads back as itself. */
export const escapeFieldValue = (value: string): string => value.replace(/[\\,=]/g, "\\$&");

/** Parses the query syntax. Throws FieldSelectorError with upstream's text. */
export function parseFieldSelector(text: string): FieldMatcher {
  const requirements: FieldRequirement[] = [];
  if (text === "") return { requirements };
  for (const term of splitTerms(text)) {
    if (term === "") continue;
    const match = /^([\s\S]*?)(!=|==|=)([\s\S]*)$/.exec(term);
    if (match === null) throw new FieldSelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
    const field = match[1]!, value = unescapeValue(match[3]!);
    if (field === "" && value === "") continue;
    requirements.push({ field, operator: match[2] === "!=" ? "!=" : "=", value });
  }
  return { requirements };
}

const ALWAYS = ["metadata.name", "metadata.namespace"];

/**
 * Parses the `fieldSelector` of a request for a kind whose own selectable fields are `supported` (beside `metadata.name`
 * and `metadata.namespace`); a bad text or another field is upstream's 400.
 */
export function parseFieldSelectorQuery(text: string, supported: ReadonlySet<string>): FieldMatcher {
  let selector: FieldMatcher;
  try { selector = parseFieldSelector(text); }
  catch (error) {
    if (!(error instanceof FieldSelectorError)) throw error;
    throw badRequest(error.message);
  }
  for (const { field } of selector.requirements) {
    if (ALWAYS.includes(field) || supported.has(field)) continue;
    throw badRequest(supported.size > 0 ? `field label not supported: ${field}` : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`);
  }
  return selector;
}

/** Whether an object with these selectable fields is selected; an absent field reads as "". */
export function matchesFields(selector: FieldMatcher, fields: Readonly<Record<string, string>>): boolean {
  for (const { field, operator, value } of selector.requirements) {
    const actual = Object.hasOwn(fields, field) ? fields[field]! : "";
    if ((actual === value) !== (operator === "=")) return false;
  }
  return true;
}

/** The value an equality demands of `field`: lists by name use it to read one object. */
export const exactFieldValue = (selector: FieldMatcher, field: string): string | undefined =>
  selector.requirements.find((requirement) => requirement.field === field && requirement.operator === "=")?.value;

/** The query text. */
export const formatFieldSelector = (selector: FieldMatcher): string =>
  selector.requirements.map(({ field, operator, value }) => `${field}${operator}${escapeFieldValue(value)}`).join(",");
