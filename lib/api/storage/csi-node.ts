/** CSINode: which storage drivers a node has. Counterpart: kubernetes `registry/storage/csinode`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { checkCsiDriverName } from "../core/volume-source-validation.ts";
import { defineResource } from "../define-resource.ts";
import { duplicate, invalid, required } from "../field-error.ts";
import { SPEC, type FieldPath } from "../field-path.ts";
import type { CSINode, CSINodeDriver } from "../schema/generated/models.ts";
import { csinodes } from "../schema/generated/references.ts";
import { checkImmutable, checkLabelKey, checkNonNegative, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { byteLength } from "../validation/names.ts";

const NODE_ID_MAX = 192;
const DRIVERS = SPEC.child("drivers");

function checkDriver(errors: Errors, path: FieldPath, driver: CSINodeDriver): void {
  const nodeId = driver.nodeID ?? "", seen = new Set<string>();
  checkCsiDriverName(errors, path.child("name"), driver.name ?? "");
  if (nodeId === "") errors.push(required(path.child("nodeID")));
  if (byteLength(nodeId) > NODE_ID_MAX) errors.push(invalid(path.child("nodeID"), nodeId, `must be ${NODE_ID_MAX} characters or less`));
  checkNonNegative(errors, path.child("allocatable", "count"), driver.allocatable?.count);
  for (const key of driver.topologyKeys ?? []) {
    if (key === "") errors.push(required(path));
    if (seen.has(key)) errors.push(duplicate(path, key));
    seen.add(key);
    checkLabelKey(errors, path, key);
  }
}

function checkDrivers(errors: Errors, { spec }: CSINode): void {
  const names = new Set<string>();
  (spec?.drivers ?? []).forEach((driver, i) => {
    checkDriver(errors, DRIVERS.index(i), driver);
    if (names.has(driver.name)) errors.push(duplicate(DRIVERS.index(i).child("name"), driver.name));
    names.add(driver.name);
  });
}

const withoutAllocatable = ({ allocatable: _, ...driver }: CSINodeDriver): object => driver;

export const csiNodeDefinition = defineResource<CSINode>({
  reference: csinodes,
  allowUnconditionalUpdate: false,
  notRunYet: true,
  validate: (node) => collect((errors) => checkDrivers(errors, node)),
  validateUpdate: (node, old) => collect((errors) => {
    checkDrivers(errors, node);
    for (const driver of node.spec?.drivers ?? []) {
      const was = (old.spec?.drivers ?? []).find(({ name }) => name === driver.name);
      if (was !== undefined) checkImmutable(errors, DRIVERS, withoutAllocatable(driver), withoutAllocatable(was));
    }
  }),
  columns: [nameColumn, column("Drivers", ({ spec }) => spec?.drivers?.length ?? 0, { type: "integer", description: "How many drivers the node has." }), ageColumn],
});
