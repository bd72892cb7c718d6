/** The body of an apply patch: YAML, of which JSON is a part. Counterpart: apiserver `endpoints/handlers/patch.go` applyPatcher. */
import { parseQuickly, type FieldValidation } from "../decode/decode.ts";
import { NumberRangeError, plainValue, type JsonNode } from "../decode/json-node.ts";
import { JsonSyntaxError, parseJson, TOO_DEEP } from "../decode/json-parser.ts";
import { duplicatesError, parseYaml, YamlError } from "../decode/yaml.ts";
import { isMap, type JsonMap } from "../patch/json-value.ts";
import { duplicateFields } from "../patch/strict-body.ts";
import { badRequest } from "../status-error.ts";

const LOOKS_LIKE_JSON = /^\s*\{/;
const CONVERTING = "error converting YAML to JSON: ";

/** What `readApplied` gives for JSON with nothing odd in it; undefined for what has to be read with care. */
export function readAppliedQuickly(body: Buffer): JsonMap | undefined {
  const value = LOOKS_LIKE_JSON.test(body.toString("utf8", 0, 64)) ? parseQuickly(body) : undefined;
  return isMap(value) ? value : undefined;
}

/** JSON is read by its own, quicker reader, unless keys are given twice: YAML's says on which lines. */
function parseBody(body: Buffer): { node: JsonNode; duplicates: readonly string[] } {
  if (LOOKS_LIKE_JSON.test(body.toString("utf8", 0, 64))) {
    try {
      const node = parseJson(body);
      if (duplicateFields(node).length === 0) return { node, duplicates: [] };
    } catch (error) {
      if (!(error instanceof JsonSyntaxError)) throw error;
      if (error.message === TOO_DEEP) throw badRequest(`error decoding YAML: ${CONVERTING}yaml: ${TOO_DEEP}`);
      // Else flow style YAML, perhaps.
    }
  }
  try { return parseYaml(body.toString("utf8")); }
  catch (error) {
    if (error instanceof YamlError) throw badRequest(`error decoding YAML: ${CONVERTING}${error.message}`);
    throw error;
  }
}

/** The configuration as a plain value. Keys given twice are refused or warned about by `mode`. Throws StatusError (400). */
export function readApplied(body: Buffer, mode: FieldValidation): { applied: JsonMap; warnings: string[] } {
  const quick = readAppliedQuickly(body);
  if (quick !== undefined) return { applied: quick, warnings: [] };
  const { node, duplicates } = parseBody(body);
  if (node.kind === "null") return { applied: {}, warnings: [] };
  if (node.kind !== "object") throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${node.kind} into Go value of type map[string]interface {}`);
  if (duplicates.length > 0 && mode === "Strict") throw badRequest(`error strict decoding YAML: ${CONVERTING}${duplicatesError(duplicates)}`);
  try { return { applied: plainValue(node) as JsonMap, warnings: mode === "Warn" ? [...duplicates] : [] }; }
  catch (error) {
    if (error instanceof NumberRangeError) throw badRequest(`error decoding YAML: ${CONVERTING}${error.message}`);
    throw error;
  }
}
