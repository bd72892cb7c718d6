/** Renders docs/SCOPE.md from the definitions the API server serves; `node test/docs/scope.ts` writes it, a test compares it. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { ResourceDefinition } from "../../lib/api/resource-definition.ts";
import { apiVersionOf } from "../../lib/api/reference.ts";
import { resources } from "../../lib/api/resources.ts";

export const SCOPE_FILE = path.resolve(import.meta.dirname, "../../docs/SCOPE.md");

const HEAD = `# What of Kubernetes 1.36 works

Written from the code by \`node test/docs/scope.ts\`; a test fails when the two differ. Every resource of the groups that are generally
available is served with the verbs below. "stored only" means that objects are kept and answered like upstream's, but no loop of this release acts on
them: creating one answers with a \`Warning\` header that says so.

| group/version | kind | verbs | subresources | defaults | validation | columns | runs |
|---|---|---|---|---|---|---|---|
`;

const mark = (present: boolean): string => (present ? "yes" : "names only");
function row(d: ResourceDefinition): string {
  const cells = [
    apiVersionOf(d), d.kind, d.verbs.join(" "), d.subresources.toSorted().join(" ") || "–", d.defaults === undefined ? "none needed" : "yes", mark(d.validate !== undefined),
    d.columns.map((c) => (c.priority === 1 ? `(${c.name})` : c.name)).join(", "), d.notRunYet === true ? "stored only" : "yes",
  ];
  return `| ${cells.join(" | ")} |`;
}

export const renderScope = (): string => `${HEAD}${resources.map(row).join("\n")}\n`;

if (import.meta.main) writeFileSync(SCOPE_FILE, renderScope());
