/** What classes of storage and of volume attributes share. Counterpart: kubernetes `apis/storage/validation`. */
import { invalid, required, tooLong } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import { checkLabelKey, type Errors } from "../validation/checks.ts";
import { byteLength } from "../validation/names.ts";

const PARAMETERS_MAX = 512, PARAMETERS_BYTES_MAX = 256 * 1024;
export const PARAMETERS = FieldPath.of("parameters");

export function checkProvisioner(errors: Errors, path: FieldPath, provisioner: string | undefined): void {
  if ((provisioner ?? "") === "") errors.push(required(path));
  else checkLabelKey(errors, path, provisioner!.toLowerCase());
}

export const bytesOf = (map: Readonly<Record<string, string>> | undefined): number => Object.entries(map ?? {}).reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(value), 0);

export function checkParameters(errors: Errors, parameters: Readonly<Record<string, string>> | undefined): void {
  const keys = Object.keys(parameters ?? {});
  if (keys.length > PARAMETERS_MAX) {
    errors.push(tooLong(PARAMETERS, PARAMETERS_MAX));
    return;
  }
  if (keys.includes("")) errors.push(invalid(PARAMETERS, "", "field can not be empty."));
  if (bytesOf(parameters) > PARAMETERS_BYTES_MAX) errors.push(tooLong(PARAMETERS, PARAMETERS_BYTES_MAX));
}
