/** The thread: a task comes, its answer goes. What a task throws of its own is an answer too; anything else ends the thread. */
import { parentPort } from "node:worker_threads";
import { StatusError, type Status } from "../../api/status-error.ts";
import { doTask, type Outcome, type Task } from "./tasks.ts";

export type Answer = { readonly outcome: Outcome } | { readonly refused: Status };

const port = parentPort!;

function answerTo(task: Task): Answer {
  try { return { outcome: doTask(task) }; }
  catch (error) {
    if (error instanceof StatusError) return { refused: error.toStatus() };
    throw error;
  }
}

port.on("message", (task: Task) => {
  const answer = answerTo(task), transfer: ArrayBuffer[] = [];
  if ("outcome" in answer) for (const bytes of [answer.outcome.value, answer.outcome.managedFields]) if (bytes !== undefined) transfer.push(bytes.buffer as ArrayBuffer);
  port.postMessage(answer, transfer);
});
