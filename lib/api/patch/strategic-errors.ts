/** What a strategic merge patch may get wrong, with upstream's words and answers. Counterpart: apimachinery `util/mergepatch`. */
import { goPrint, goTypeName, type JsonMap } from "./json-value.ts";

/** `answer` says how the API server replies: 400 with the text, 422 without it, or 500 with it. */
export class StrategicPatchError extends Error {
  override readonly name = "StrategicPatchError";
  readonly answer: 400 | 422 | 500;
  constructor(message: string, answer: 400 | 422 | 500 = 500) {
    super(message);
    this.answer = answer;
  }
}

export const badRetainKeys = (): StrategicPatchError => new StrategicPatchError("invalid patch format of retainKeys", 400);
export const badElementOrder = (): StrategicPatchError => new StrategicPatchError("invalid patch format of setElementOrder list", 400);
export const badPrimitiveList = (): StrategicPatchError => new StrategicPatchError("invalid patch format of primitive list", 400);
export const listOfLists = (): StrategicPatchError => new StrategicPatchError("lists of lists are not supported", 422);
export const noMergeKey = (map: JsonMap, key: string): StrategicPatchError => new StrategicPatchError(`map: ${goPrint(map)} does not contain declared merge key: ${key}`);
export const badType = (expected: "map[string]interface {}" | "[]interface {}", actual: unknown): StrategicPatchError =>
  new StrategicPatchError(`expected a ${expected}, but received a ${goTypeName(actual)}`);
export const unknownDirective = (directive: unknown, map: JsonMap): StrategicPatchError =>
  new StrategicPatchError(`unknown patch type: ${goPrint(directive)} in map: ${goPrint(map)}`);
