/** How admission refuses: 403 with the resource, the name and the plugin's own words. Counterpart: apiserver `admission.NewForbidden`. */
import { forbidden, type StatusError } from "../../api/status-error.ts";
import type { AdmissionAttributes } from "../contracts.ts";

/** The object's name, or what its name will be made from. */
export function admittedName(attributes: AdmissionAttributes): string {
  if (attributes.name !== "") return attributes.name;
  const meta = attributes.object?.metadata;
  return (meta?.name ?? "") !== "" ? meta!.name : (meta?.generateName ?? "");
}

export const admissionForbidden = (attributes: AdmissionAttributes, why: string): StatusError => forbidden(attributes.definition, admittedName(attributes), why);
