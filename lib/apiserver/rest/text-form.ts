/** Values as people read them. Counterpart: the serializers of apimachinery. */
import { stringify } from "yaml";

/** YAML, or JSON indented by two. */
export type TextForm = "yaml" | "pretty";

/** As Go's writer does it. */
const YAML_OPTIONS = { lineWidth: 0, sortMapEntries: true, aliasDuplicateObjects: false, version: "1.1" } as const;

/** YAML with a line's end behind it, JSON without. */
export const textOf = (value: unknown, form: TextForm): string => (form === "yaml" ? stringify(value, YAML_OPTIONS) : JSON.stringify(value, undefined, 2));
