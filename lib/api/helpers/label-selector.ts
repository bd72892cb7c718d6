/**
 * Label selectors: the query syntax (`app=web,tier in (a,b),!old`), LabelSelector objects, matching and printing.
 *
 * Guarantees: what upstream's parser refuses is refused with its words; requirements are ordered by key.
 * Counterpart: apimachinery `labels` and `meta/v1` LabelSelectorAsSelector.
 */
import { badRequest } from "../status-error.ts";
import { lexSelector, type Token } from "./label-selector-lexer.ts";
import { isLabelKey, isLabelValue } from "../validation/names.ts";

export type LabelOperator = "in" | "notin" | "=" | "==" | "!=" | "gt" | "lt" | "exists" | "!";
export interface LabelRequirement { readonly key: string; readonly operator: LabelOperator; readonly values: readonly string[] }

/** All requirements must hold; none: everything matches. `nothing` is what an absent LabelSelector means. */
export interface LabelMatcher { readonly requirements: readonly LabelRequirement[]; readonly nothing?: true }

type Labels = Readonly<Record<string, string>> | undefined;
/** The parts of a LabelSelector object this file reads. */
interface SelectorObject {
  matchLabels?: Readonly<Record<string, string>> | undefined;
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] | undefined }[] | undefined;
}

export const EVERYTHING: LabelMatcher = { requirements: [] };
export const NOTHING: LabelMatcher = { requirements: [], nothing: true };

/** A selector text or object upstream would refuse. */
export class SelectorError extends Error { override readonly name = "SelectorError"; }

const INT64 = /^[-+]?[0-9]{1,19}$/;
const TOKEN_OPERATORS: Partial<Record<Token["kind"], LabelOperator>> = { in: "in", notin: "notin", "=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt" };
const BINARY_OPERATORS = "in, notin, =, ==, !=, gt, lt";
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function requirementErrors(key: string, operator: LabelOperator, values: readonly string[]): string[] {
  const errors: string[] = [], shown = JSON.stringify(values);
  const keyErrors = isLabelKey(key);
  if (keyErrors.length > 0) errors.push(`key: Invalid value: ${JSON.stringify(key)}: ${keyErrors.join("; ")}`);
  const wrongCount = (text: string): void => { errors.push(`values: Invalid value: ${shown}: ${text}`); };
  if (operator === "in" || operator === "notin") { if (values.length === 0) wrongCount("for 'in', 'notin' operators, values set can't be empty"); }
  else if (operator === "exists" || operator === "!") { if (values.length > 0) wrongCount("values set must be empty for exists and does not exist"); }
  else if (operator === "gt" || operator === "lt") {
    if (values.length !== 1) wrongCount("for 'Gt', 'Lt' operators, exactly one value is required");
    values.forEach((value, i) => { if (!INT64.test(value)) errors.push(`values[${i}]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`); });
  } else if (values.length !== 1) wrongCount("exact-match compatibility requires one single value");
  values.forEach((value, i) => {
    const valueErrors = isLabelValue(value);
    if (valueErrors.length > 0) errors.push(`values[${i}][${key}]: Invalid value: ${JSON.stringify(value)}: ${valueErrors.join("; ")}`);
  });
  return errors;
}

/** Builds one requirement; throws SelectorError with upstream's aggregate of field errors. */
export function newRequirement(key: string, operator: LabelOperator, values: readonly string[]): LabelRequirement {
  const errors = requirementErrors(key, operator, values);
  if (errors.length === 1) throw new SelectorError(errors[0]!);
  if (errors.length > 1) throw new SelectorError(`[${errors.join(", ")}]`);
  return { key, operator, values };
}

class Parser {
  readonly #tokens: Token[];
  #position = 0;
  constructor(text: string) { this.#tokens = lexSelector(text); }

  #peek(): Token { return this.#tokens[this.#position]!; }
  #next(): Token { return this.#tokens[this.#position++] ?? { kind: "end", text: "" }; }
  /** Words such as `in` are values wherever an operator cannot stand. */
  static isWord(token: Token): boolean { return token.kind === "word" || token.kind === "in" || token.kind === "notin"; }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === "end") return requirements;
      if (!Parser.isWord(token) && token.kind !== "!") throw new SelectorError(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      try { requirements.push(this.#requirement()); }
      catch (error) { throw new SelectorError(`unable to parse requirement: ${(error as Error).message}`); }
      const after = this.#next();
      if (after.kind === "end") return requirements;
      if (after.kind !== ",") throw new SelectorError(`found '${after.text}', expected: ',' or 'end of string'`);
      const following = this.#peek();
      if (!Parser.isWord(following) && following.kind !== "!") throw new SelectorError(`found '${following.text}', expected: identifier after ','`);
    }
  }

  #requirement(): LabelRequirement {
    let token = this.#next();
    const negated = token.kind === "!";
    if (negated) token = this.#next();
    if (!Parser.isWord(token)) throw new SelectorError(`found '${token.text}', expected: identifier`);
    const key = token.text, keyErrors = isLabelKey(key);
    if (keyErrors.length > 0) throw new SelectorError(`<nil>: Invalid value: ${JSON.stringify(key)}: ${keyErrors.join("; ")}`);
    if (negated) return newRequirement(key, "!", []);
    const ahead = this.#peek().kind;
    if (ahead === "end" || ahead === ",") return newRequirement(key, "exists", []);
    const operator = this.#operator();
    const values = operator === "in" || operator === "notin" ? this.#valueSet() : [this.#exactValue()];
    return newRequirement(key, operator, values);
  }

  #operator(): LabelOperator {
    const token = this.#next();
    const operator = TOKEN_OPERATORS[token.kind];
    if (operator === undefined) throw new SelectorError(`found '${token.text}', expected: ${BINARY_OPERATORS}`);
    return operator;
  }

  #exactValue(): string {
    const ahead = this.#peek().kind;
    if (ahead === "end" || ahead === ",") return "";
    const token = this.#next();
    if (!Parser.isWord(token)) throw new SelectorError(`found '${token.text}', expected: identifier`);
    return token.text;
  }

  #valueSet(): string[] {
    const open = this.#next();
    if (open.kind !== "(") throw new SelectorError(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.kind === ")") { this.#next(); return [""]; }
    if (!Parser.isWord(first) && first.kind !== ",") throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
    const values = this.#identifiers();
    if (this.#next().kind !== ")") throw new SelectorError(`found '${first.text}', expected: ')'`);
    return [...values].sort(byText);
  }

  #identifiers(): Set<string> {
    const values = new Set<string>();
    for (;;) {
      const token = this.#next(), ahead = this.#tokens[this.#position];
      if (Parser.isWord(token)) {
        values.add(token.text);
        if (ahead?.kind === ")") return values;
        if (ahead?.kind !== ",") throw new SelectorError(`found '${ahead?.text ?? ""}', expected: ',' or ')'`);
      } else if (token.kind === ",") {
        if (values.size === 0) values.add("");
        if (ahead?.kind === ")") return values.add("");
        if (ahead?.kind === ",") values.add("");
      } else throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
    }
  }
}

/** Parses the query syntax. Throws SelectorError with upstream's text. */
export function parseLabelSelector(text: string): LabelMatcher {
  if (text === "") return EVERYTHING;
  const requirements = new Parser(text).parse();
  return requirements.length === 0 ? EVERYTHING : { requirements: requirements.sort((a, b) => byText(a.key, b.key)) };
}

/** Parses the `labelSelector` of a request; a bad one is upstream's 400. */
export function parseLabelSelectorQuery(text: string): LabelMatcher {
  try { return parseLabelSelector(text); }
  catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    throw badRequest(error.message);
  }
}

const OBJECT_OPERATORS: Record<string, LabelOperator> = { In: "in", NotIn: "notin", Exists: "exists", DoesNotExist: "!" };

/** The matcher of a LabelSelector object; absent matches nothing, empty everything. Throws SelectorError. */
export function selectorFromObject(selector: SelectorObject | undefined): LabelMatcher {
  if (selector === undefined) return NOTHING;
  const requirements = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => newRequirement(key, "=", [value]));
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = Object.hasOwn(OBJECT_OPERATORS, operator) ? OBJECT_OPERATORS[operator]! : undefined;
    if (known === undefined) throw new SelectorError(`${JSON.stringify(operator)} is not a valid label selector operator`);
    requirements.push(newRequirement(key, known, values ?? []));
  }
  return requirements.length === 0 ? EVERYTHING : { requirements: requirements.sort((a, b) => byText(a.key, b.key)) };
}

/** The matcher of a plain set, as Services and ReplicationControllers use; empty matches everything. */
export function selectorFromSet(set: Labels): LabelMatcher {
  const requirements = Object.entries(set ?? {}).map(([key, value]): LabelRequirement => ({ key, operator: "=", values: [value] }));
  return { requirements: requirements.sort((a, b) => byText(a.key, b.key)) };
}

function holds({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "=": case "==": case "in": return value !== undefined && values.includes(value);
    case "!=": case "notin": return value === undefined || !values.includes(value);
    case "exists": return value !== undefined;
    case "!": return value === undefined;
    case "gt": case "lt": {
      if (value === undefined || !INT64.test(value)) return false;
      const left = BigInt(value.replace(/^\+/, "")), right = BigInt(values[0]!.replace(/^\+/, ""));
      return operator === "gt" ? left > right : left < right;
    }
  }
}

/** Whether `labels` satisfy every requirement. */
export function matchesLabels(selector: LabelMatcher, labels: Labels): boolean {
  if (selector.nothing) return false;
  for (const requirement of selector.requirements) if (!holds(requirement, labels)) return false;
  return true;
}

/** Whether nothing is asked of the labels. */
export const isEmptySelector = (selector: LabelMatcher): boolean => selector.nothing !== true && selector.requirements.length === 0;

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  const sorted = [...values].sort(byText).join(",");
  switch (operator) {
    case "exists": return key;
    case "!": return `!${key}`;
    case "in": case "notin": return `${key} ${operator} (${sorted})`;
    case "gt": return `${key}>${sorted}`;
    case "lt": return `${key}<${sorted}`;
    case "=": case "==": case "!=": return `${key}${operator}${sorted}`;
  }
}

/** The query text of a selector; "" for everything and for nothing. */
export const formatSelector = (selector: LabelMatcher): string => selector.requirements.map(formatRequirement).join(",");

/** A LabelSelector object as kubectl and the tables print it: `<none>` when empty, `<error>` when invalid. */
export function formatLabelSelector(selector: SelectorObject | undefined): string {
  try { return formatSelector(selectorFromObject(selector)) || "<none>"; }
  catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    return "<error>";
  }
}
