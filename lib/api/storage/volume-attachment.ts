/** VolumeAttachment: a volume that is to be attached to a node. Counterpart: kubernetes `registry/storage/volumeattachment`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { checkCsiDriverName, checkPersistentSource } from "../core/volume-source-validation.ts";
import { defineResource } from "../define-resource.ts";
import { keepMetadata } from "../helpers/status-metadata.ts";
import { forbiddenField, invalid, required, tooLong } from "../field-error.ts";
import { SPEC, STATUS, type FieldPath } from "../field-path.ts";
import type { PersistentVolumeSpec, VolumeAttachment, VolumeAttachmentSource, VolumeAttachmentSpec, VolumeError } from "../schema/generated/models.ts";
import { volumeattachments } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { IMMUTABLE, checkDnsSubdomain, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { byteLength, inclusiveRangeError } from "../validation/names.ts";
import { bytesOf } from "./storage-validation.ts";

const METADATA_BYTES_MAX = 256 * 1024, MESSAGE_BYTES_MAX = 1024, INT32_MAX = 2_147_483_647;
const SOURCE = SPEC.child("source");

function checkSource(errors: Errors, source: VolumeAttachmentSource): void {
  const { inlineVolumeSpec: inline, persistentVolumeName: name } = source, exactlyOne = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  if (inline === undefined && name === undefined) errors.push(required(SOURCE, exactlyOne));
  else if (inline !== undefined && name !== undefined) errors.push(forbiddenField(SOURCE, exactlyOne));
  else if (inline !== undefined) checkInline(errors, SOURCE.child("inlineVolumeSpec"), inline);
  else if (name === "") errors.push(required(SOURCE.child("persistentVolumeName"), "must specify non empty persistentVolumeName"));
}

function checkInline(errors: Errors, path: FieldPath, spec: PersistentVolumeSpec): void {
  const why = "may not be specified in the context of inline volumes";
  if (spec.claimRef !== undefined) errors.push(forbiddenField(path.child("claimRef"), why));
  if (Object.keys(spec.capacity ?? {}).length > 0) errors.push(forbiddenField(path.child("capacity"), why));
  if (spec.csi === undefined) errors.push(required(path.child("csi"), "has to be specified in the context of inline volumes"));
  else checkPersistentSource(errors, path.child("csi"), spec, "csi");
  if ((spec.accessModes ?? []).length === 0) errors.push(required(path.child("accessModes")));
}

function checkError(errors: Errors, path: FieldPath, error: VolumeError | undefined): void {
  if (byteLength(error?.message ?? "") > MESSAGE_BYTES_MAX) errors.push(tooLong(path.child("message"), METADATA_BYTES_MAX));
  if (error?.errorCode !== undefined && error.errorCode < 0) errors.push(invalid(path.child("errorCode"), error.errorCode, inclusiveRangeError(0, INT32_MAX)));
}

function checkAttachment(errors: Errors, attachment: VolumeAttachment): void {
  const spec = (attachment.spec as Partial<VolumeAttachmentSpec> | undefined) ?? {}, { status } = attachment;
  if ((spec.attacher ?? "") === "") errors.push(required(SPEC.child("attacher")));
  checkSource(errors, spec.source ?? {});
  checkDnsSubdomain(errors, SPEC.child("nodeName"), spec.nodeName ?? "");
  if (bytesOf(status?.attachmentMetadata) > METADATA_BYTES_MAX) errors.push(tooLong(STATUS.child("attachmentMetadata"), METADATA_BYTES_MAX));
  checkError(errors, STATUS.child("attachError"), status?.attachError);
  checkError(errors, STATUS.child("detachError"), status?.detachError);
}

export const volumeAttachmentDefinition = defineResource<VolumeAttachment>({
  reference: volumeattachments,
  allowUnconditionalUpdate: false,
  notRunYet: true,
  prepareForCreate: (attachment) => void (attachment.status = { attached: false }),
  prepareForUpdate: (attachment, old) => void (attachment.status = old.status),
  prepareForStatusUpdate: (attachment, old) => {
    attachment.spec = old.spec;
    keepMetadata(attachment, old);
  },
  validate: (attachment) => collect((errors) => {
    checkAttachment(errors, attachment);
    checkCsiDriverName(errors, SPEC.child("attacher"), attachment.spec?.attacher ?? "");
    const name = attachment.spec?.source?.persistentVolumeName;
    if (name !== undefined) checkDnsSubdomain(errors, SOURCE.child("persistentVolumeName"), name);
  }),
  validateUpdate: (attachment, old) => collect((errors) => {
    checkAttachment(errors, attachment);
    if (!semanticEqual(attachment.spec, old.spec)) errors.push(invalid(SPEC, attachment.spec, IMMUTABLE));
  }),
  validateStatusUpdate: (attachment) => collect((errors) => checkAttachment(errors, attachment)),
  columns: [
    nameColumn,
    column("Attacher", ({ spec }) => spec?.attacher ?? "", { description: "The driver that attaches it." }),
    column("PV", ({ spec }) => spec?.source?.persistentVolumeName ?? "", { description: "The volume." }),
    column("Node", ({ spec }) => spec?.nodeName ?? "", { description: "The node." }),
    column("Attached", ({ status }) => status?.attached ?? false, { type: "boolean", description: "Whether it is attached." }),
    ageColumn,
  ],
});
