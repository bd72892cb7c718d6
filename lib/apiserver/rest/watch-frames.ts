/** Lines of a watch in each form. */
import type { Entry } from "../cache/entry.ts";
import type { StatusError } from "../../api/status-error.ts";
import type { WatchType } from "./watcher.ts";

const HEADS: Record<WatchType, Buffer> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'), MODIFIED: Buffer.from('{"type":"MODIFIED","object":'), DELETED: Buffer.from('{"type":"DELETED","object":'),
};
const CLOSE = 0x7d, NEWLINE = 0x0a;

/** Frames made for the change being delivered: every watcher of the resource asks for the same one in the same turn. */
let shared: { entry: Entry; type: WatchType; frame: Buffer } | undefined;

/** The plain JSON form, straight from the stored bytes. */
export function jsonFrame(type: WatchType, entry: Entry): Buffer {
  if (shared !== undefined && shared.entry === entry && shared.type === type) return shared.frame;
  const head = HEADS[type], frame = Buffer.allocUnsafeSlow(head.length + entry.sizeBytes() + 2);
  let offset = head.copy(frame, 0);
  offset = entry.writeTo(frame, offset);
  frame[offset] = CLOSE;
  frame[offset + 1] = NEWLINE;
  shared = { entry, type, frame };
  return frame;
}

/** Any other object. */
export const valueFrame = (type: WatchType | "BOOKMARK" | "ERROR", object: unknown): Buffer => Buffer.from(`${JSON.stringify({ type, object })}\n`);

export const errorFrame = (error: StatusError): Buffer => valueFrame("ERROR", error.toStatus());
