/** The texts of the schema, for OpenAPI and explain only: they are big, so they are read when first asked for. */
export interface Descriptions {
  /** The text of a model ("" where it has none), or of one of its fields. */
  (model: string, field?: string): string;
}

/** Reads the texts. Callers keep what they build from them, not the texts. */
export async function loadDescriptions(): Promise<Descriptions> {
  const texts = (await import("./generated/descriptions.json", { with: { type: "json" } })).default as Record<string, Record<string, string>>;
  return (model, field = "") => texts[model]?.[field] ?? "";
}
