/** PodLogOptions: from the client's query to the kubelet's, checked. Pure. Counterpart: `ValidatePodLogOptions` and `LogLocation`. */
import { type FieldError, forbiddenField, invalid, invalidError, notSupported } from "../../api/field-error.ts";
import { badRequest } from "../../api/status-error.ts";

export interface PodLogOptions {
  readonly container: string;
  readonly follow: boolean;
  readonly insecureSkipTlsVerify: boolean;
  /** What the kubelet is asked. */
  readonly kubeletQuery: URLSearchParams;
}

const isTrue = (query: URLSearchParams, name: string): boolean => {
  const value = query.get(name);
  return value !== null && !["false", "0"].includes(value.toLowerCase()); // `?follow` alone is a yes.
};

/** Throws StatusError. `name` is the pod's. */
export function readLogOptions(query: URLSearchParams, name: string): PodLogOptions {
  const kubeletQuery = new URLSearchParams(), errors: FieldError[] = [];
  const whole = (field: string, minimum: number, why: string): number | undefined => {
    const text = query.get(field);
    if (text === null || text === "") return undefined;
    if (!/^[-+]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    if (Number(text) < minimum) errors.push(invalid(field, Number(text), why));
    kubeletQuery.set(field, text);
    return Number(text);
  };
  for (const field of ["follow", "previous", "timestamps"]) if (isTrue(query, field)) kubeletQuery.set(field, "true");
  const tail = whole("tailLines", 0, "must be greater than or equal to 0");
  whole("limitBytes", 1, "must be greater than 0");
  const sinceSeconds = whole("sinceSeconds", 1, "must be greater than 0"), sinceTime = query.get("sinceTime") ?? "", stream = query.get("stream") ?? "";
  if (sinceTime !== "") {
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(sinceTime) || Number.isNaN(Date.parse(sinceTime))) throw badRequest(`parsing time ${JSON.stringify(sinceTime)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(sinceTime)} as "2006"`);
    if (sinceSeconds !== undefined) errors.push(forbiddenField("", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
    kubeletQuery.set("sinceTime", sinceTime);
  }
  if (stream !== "" && stream !== "All") {
    if (stream !== "Stdout" && stream !== "Stderr") errors.push(notSupported("stream", stream, ["All", "Stderr", "Stdout"]));
    else if (tail !== undefined) errors.push(forbiddenField("", "`tailLines` and specific `stream` are mutually exclusive for now"));
    kubeletQuery.set("stream", stream);
  }
  if (errors.length > 0) throw invalidError("", "PodLogOptions", name, errors);
  return { container: query.get("container") ?? "", follow: isTrue(query, "follow"), insecureSkipTlsVerify: isTrue(query, "insecureSkipTLSVerifyBackend"), kubeletQuery };
}
